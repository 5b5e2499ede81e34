//! Puts raw bytes in the place of a stored row.

use longshore_core::MessageId;

/// Replaces head and body of a row wherever it lies. Answers how many rows that were.
pub(crate) async fn replace(
    url: &str,
    tags: impl Iterator<Item = String>,
    id: MessageId,
    head: &[u8],
    body: &[u8],
) -> u32 {
    let address = url.split('?').next().unwrap_or_default();
    let client = redis::Client::open(address).expect("a client");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("connect");
    let script = redis::Script::new(include_str!("../redis/servers/plant.lua"));
    let mut replaced = 0;
    for tag in tags {
        let mut call = script.prepare_invoke();
        for name in ["s0", "s1", "s2", "b"] {
            call.key(format!("{tag}:{name}"));
        }
        call.arg(&id.as_uuid().as_bytes()[..]).arg(head).arg(body);
        let here: u32 = call.invoke_async(&mut connection).await.expect("plant");
        replaced += here;
    }
    replaced
}
