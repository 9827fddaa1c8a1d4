//! gRPC calls, good and spoiled.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn grpc_calls_are_answered_with_messages_and_statuses() {
    let practice = start(&[]);
    let mut client = Client::new(&practice).await;
    let large = vec![7; (4 << 20) + 1];
    for (path, message, status, body) in [
        (ECHO, &b"any bytes"[..], "0", framed(b"any bytes")),
        ("/grpc.health.v1.Health/Check", b"", "0", framed(&[8, 1])),
        ("/grpc.health.v1.Health/Check", b"\x0a\x03abc", "5", vec![]),
        ("/tollgate.practice.Echo/Other", b"", "12", vec![]),
        (ECHO, &large[..], "8", vec![]),
    ] {
        let answer = client.call(path, message).await;
        assert_eq!((answer.status, answer.field("content-type")), (Some(200), Some("application/grpc")));
        assert_eq!((answer.field("grpc-status"), answer.trouble()), (Some(status), "nothing".to_owned()), "{path}");
        assert_eq!((&answer.body, answer.trailers.is_some()), (&body, status == "0"), "{path}");
    }
    let truth = practice.truth();
    assert_eq!(accounts(&truth), [5, 5, 2, 0, 0, 0, 0]);
    assert_eq!(truth.grpc_statuses, BTreeMap::from([(0, 2), (5, 1), (8, 1), (12, 1)]));
    assert_eq!(truth.statuses, BTreeMap::from([(200, 5)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_health_service_says_what_was_chosen() {
    const CHECK: &str = "/grpc.health.v1.Health/Check";
    let (whole, shop) = (&b""[..], &b"\x0a\x08app.Shop"[..]);
    let of_shop = &[("not-serving", "100%"), ("not-serving-service", "app.Shop")];
    for (settings, service, said, why) in [
        (&[("not-serving", "1/2")][..], whole, [1, 2, 1, 2], "every second check"),
        (of_shop, shop, [2; 4], "one service, which is known then"),
        (of_shop, whole, [1; 4], "and no other"),
    ] {
        let practice = start(settings);
        let mut client = Client::new(&practice).await;
        for status in said {
            let answer = client.call(CHECK, service).await;
            assert_eq!((answer.field("grpc-status"), &answer.body), (Some("0"), &framed(&[8, status])), "{why}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn grpc_errors_take_the_chosen_form() {
    for (form, http, grpc, headers_only) in
        [("trailers-only", 200, Some("13"), true), ("trailers", 200, Some("13"), false), ("http", 503, None, false)]
    {
        let settings = [("errors", "1/2"), ("error-status", "503"), ("grpc-status", "13"), ("grpc-errors", form)];
        let practice = start(&settings);
        let mut client = Client::new(&practice).await;
        assert_eq!(client.call(ECHO, b"x").await.field("grpc-status"), Some("0"));
        let answer = client.call(ECHO, b"x").await;
        assert_eq!((answer.status, answer.field("grpc-status")), (Some(http), grpc), "{form}");
        assert_eq!(answer.headers.contains_key("grpc-status"), headers_only, "{form}");
        let truth = practice.truth();
        assert_eq!((accounts(&truth), truth.errors()), ([2, 2, 1, 0, 0, 0, 0], 1), "{form}");
        let mut statuses = BTreeMap::from([(0, 1)]);
        statuses.extend(grpc.map(|_| (13, 1)));
        assert_eq!(truth.grpc_statuses, statuses, "{form}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn faults_of_grpc_answers_are_spoiled_calls() {
    let whole = framed(b"0123456789");
    let statuses = |said: Option<u8>| said.map(|status| (status, 1)).into_iter().collect::<BTreeMap<u8, u64>>();
    for (key, value, body, grpc, trailers, trouble, said) in [
        ("missing-trailers", "100%", &whole[..], None, false, "nothing", None),
        ("no-grpc-status", "100%", &whole, None, true, "nothing", None),
        ("no-message", "100%", b"", Some("0"), false, "nothing", None),
        ("truncate", "100%", &whole[..7], Some("0"), true, "nothing", None),
        ("rst-body", "internal-error", &whole[..7], None, false, "INTERNAL_ERROR", None),
        ("truncate-chunked", "100%", &whole[..7], None, false, "connection", None),
    ] {
        let practice = start(&[(key, value)]);
        let answer = Client::new(&practice).await.call(ECHO, b"0123456789").await;
        assert_eq!((&answer.body[..], answer.trouble()), (body, trouble.to_owned()), "--{key}");
        assert_eq!((answer.field("grpc-status"), answer.trailers.is_some()), (grpc, trailers), "--{key}");
        let truth = practice.truth();
        assert_eq!((accounts(&truth), truth.errors()), ([1, 0, 0, 1, 0, 0, 0], 1), "--{key}");
        assert_eq!((truth.statuses, truth.grpc_statuses), (BTreeMap::from([(200, 1)]), statuses(said)), "--{key}");
    }
    let practice = start(&[("huge-body", "100KiB")]);
    let answer = Client::new(&practice).await.call(ECHO, b"").await;
    let mut expected = BytesMut::from(&[0, 0, 1, 0x90, 0][..]);
    expected.resize(5 + (100 << 10), 0);
    assert_eq!((&answer.body[..], answer.field("grpc-status")), (&expected[..], Some("0")));
}
