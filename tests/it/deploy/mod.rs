//! What is deployed: the image, the manifests and the chart, held to the program that they run.

mod chart;
mod examples;
mod image;
mod kustomize;
mod objects;
mod pages;
mod pods;
mod release;
mod replaced;
mod rules;
mod schemas;
mod tools;
