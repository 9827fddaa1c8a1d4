//! The keys of Flagger's Canary (`flagger.app/v1beta1`, Flagger 1.44), mapping by mapping.

pub(super) const CANARY: &[&str] = &["apiVersion", "kind", "metadata", "spec", "status"];

pub(super) const SPEC: &[&str] = &[
    "analysis",
    "autoscalerRef",
    "canaryAnalysis",
    "ingressRef",
    "metricsServer",
    "progressDeadlineSeconds",
    "provider",
    "revertOnDeletion",
    "routeRef",
    "service",
    "skipAnalysis",
    "suspend",
    "targetRef",
    "upstreamRef",
];

pub(super) const SERVICE: &[&str] = &[
    "apex",
    "appProtocol",
    "backends",
    "canary",
    "corsPolicy",
    "delegation",
    "gatewayRefs",
    "gateways",
    "headers",
    "headless",
    "hosts",
    "match",
    "meshName",
    "mirror",
    "name",
    "port",
    "portDiscovery",
    "portName",
    "primary",
    "retries",
    "rewrite",
    "targetPort",
    "timeout",
    "trafficDistribution",
    "trafficPolicy",
    "unmanagedMetadata",
];

pub(super) const TARGET: &[&str] = &["apiVersion", "kind", "name"];

pub(super) const ANALYSIS: &[&str] = &[
    "alerts",
    "canaryReadyThreshold",
    "interval",
    "iterations",
    "match",
    "maxWeight",
    "metrics",
    "mirror",
    "mirrorWeight",
    "primaryReadyThreshold",
    "sessionAffinity",
    "stepWeight",
    "stepWeightPromotion",
    "stepWeights",
    "threshold",
    "webhooks",
];

pub(super) const AFFINITY: &[&str] =
    &["cookieName", "domain", "httpOnly", "maxAge", "partitioned", "path", "primaryCookieName", "sameSite", "secure"];

pub(super) const METRIC: &[&str] =
    &["interval", "name", "query", "templateRef", "templateVariables", "threshold", "thresholdRange"];

pub(super) const HOOK: &[&str] = &["disableTLS", "metadata", "muteAlert", "name", "retries", "timeout", "type", "url"];
