//! Answers that are sound although they look unusual, long or slow.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sound_but_unusual_answers_look_as_they_should() {
    let practice = start(&[("body-size", "4")]);
    let mut client = Client::new(&practice).await;
    let answer = client.get("/").await;
    assert_eq!((answer.field("content-length"), answer.field("content-type")), (Some("4"), Some("application/json")));
    let head = client.ask("HEAD", "/", "text/plain", None).await;
    assert_eq!((head.status, head.field("content-length"), &head.body[..]), (Some(200), Some("4"), &b""[..]));
    for (path, status) in [("/status/204", 204), ("/status/503", 503), ("/nowhere", 404), ("/token", 405)] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.trouble()), (Some(status), "nothing".to_owned()), "{path}");
    }
    assert_eq!(client.ask("POST", "/token", "text/plain", Some(b"{}")).await.status, Some(200));

    let practice = start(&[("body-size", "4"), ("chunked", "")]);
    let answer = Client::new(&practice).await.get("/").await;
    assert_eq!((answer.field("content-length"), answer.field("x-practice-end")), (None, Some("yes")));
    assert_eq!(answer.body, b"xxxx");

    let practice = start(&[("early-answer", "")]);
    let mut client = Client::new(&practice).await;
    let request = Request::post("http://practice/").body(()).unwrap();
    let (response, _open) = client.sender.send_request(request, false).unwrap();
    assert_eq!(super::answer(response).await.status, Some(413), "before the body has come");
    assert_eq!(client.get("/").await.status, Some(200), "the connection is kept");

    let practice = start(&[("continue", "")]);
    tokio::task::block_in_place(|| {
        let mut raw = Raw::new(&practice);
        raw.get(1);
        let heads = [raw.frame_of(1), raw.frame_of(1), raw.frame_of(1)];
        assert_eq!(heads.map(|(flags, stream, _)| (flags & 1, stream)), [(0, 1); 3], "100, 103 and 200");
        assert_eq!(raw.frame_of(0).0 & 1, 1);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn long_slow_and_padded_answers_come_whole() {
    let practice = start(&[("body-size", "5"), ("slow-body", "100B/s")]);
    let answer = Client::new(&practice).await.get("/").await;
    assert_eq!((answer.body.len(), answer.trouble()), (5, "nothing".to_owned()));
    assert!(practice.truth().service.micros()[0] >= 49_000);

    let practice = start(&[("huge-body", "300KiB")]);
    let answer = Client::new(&practice).await.get("/").await;
    assert_eq!((answer.body.len(), answer.field("content-length")), (300 << 10, Some("307200")));
    assert_eq!(practice.truth().answered, 1);

    let practice = start(&[("huge-body", "10GiB")]);
    let mut client = Client::new(&practice).await;
    let mut body = client.send("GET", "/", "text/plain", None).await.unwrap().into_body();
    body.data().await.unwrap().unwrap();
    drop(body);
    let truth = seen(&practice, |truth| truth.pending == 0).await;
    assert_eq!(accounts(&truth), [1, 0, 0, 0, 0, 0, 1]);

    let practice = start(&[("huge-headers", "20KiB")]);
    let answer = Client::new(&practice).await.get("/").await;
    let padding: usize = answer.headers.get_all("x-huge").iter().map(|value| value.len() + 38).sum();
    assert_eq!((padding, answer.trouble()), (20 << 10, "nothing".to_owned()));
    assert_eq!(practice.truth().succeeded, 1);
}
