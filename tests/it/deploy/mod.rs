//! What is deployed: the image, the manifests and the chart, held to the program that they run.

mod image;
mod tools;
