//! What answers in a server's place and is none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::Duration;

use longshore_core::StoreErrorKind;

use crate::stage::try_open;

/// In protected mode Redis 7 says so in 1,067 bytes and hangs up, before it hears anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_protected_mode_is_told_as_that() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let said = format!(
        "-DENIED Redis is running in protected mode{}\r\n",
        ".".repeat(1_023)
    );
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let _ = stream.write_all(said.as_bytes());
            let _ = stream.read(&mut [0; 64]);
        }
    });
    let error = try_open(&format!("redis://127.0.0.1:{port}"))
        .await
        .expect_err("it lets nobody in");
    assert_eq!(error.kind(), StoreErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("in protected mode"), "{error}");
}

/// Answers the first caller, and goes on with noughts for as long as they are taken, up to 64 MiB.
fn stranger(answer: &'static [u8]) -> (u16, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        stream
            .set_write_timeout(Some(Duration::from_secs(5)))
            .expect("a time-out");
        let _ = stream.read(&mut [0; 64]);
        let mut taken = 0;
        let noughts = vec![b'0'; 64 << 10];
        let _ = stream.write_all(answer);
        while taken < 64 << 20 {
            match stream.write(&noughts) {
                Ok(bytes) if bytes > 0 => taken += bytes,
                _ => break,
            }
        }
        taken
    });
    (port, serving)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_an_end_is_not_read() {
    for answer in [
        &b"$1500000000\r\n"[..],
        b"*1000000\r\n",
        b"+",
        b"HTTP/1.1 400 Bad Request\r\n",
    ] {
        let (port, serving) = stranger(answer);
        let error = try_open(&format!("redis://127.0.0.1:{port}"))
            .await
            .expect_err("it is no server");
        assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{error}");
        let told = error.to_string();
        assert!(
            told.contains("does not speak the protocol of Redis: it said"),
            "{told}"
        );
        assert!(told.len() < 400, "{told}");
        // What was taken lay in the buffers of the two sockets.
        let taken = serving.join().unwrap();
        assert!(taken < 32 << 20, "{taken} bytes were taken");
    }
}
