use tokio::io::duplex;

use super::*;

const TABLE: [u8; 4] = [0; 4];

fn frame(method: u16, arguments: &[&[u8]]) -> Vec<u8> {
    let ids = [CONNECTION, method];
    let mut payload: Vec<u8> = ids.iter().flat_map(|id| id.to_be_bytes()).collect();
    payload.extend(arguments.concat());
    let mut frame = vec![1, 0, 0];
    frame.extend(length(payload.len()));
    frame.extend(payload);
    frame.push(0xCE);
    frame
}

fn start(mechanisms: &str) -> Vec<u8> {
    let size = length(mechanisms.len());
    frame(START, &[&[0, 9], &TABLE, &size, mechanisms.as_bytes()])
}

/// What comes of a broker that says this, whatever it hears; and what it has heard.
async fn told(says: &[u8]) -> (Result<Answer, io::ErrorKind>, Vec<u8>) {
    let (client, mut broker) = duplex(4096);
    broker.write_all(says).await.expect("room");
    // What was said can still be read.
    broker.shutdown().await.expect("an end");
    let login = Login {
        username: "app".into(),
        password: "sentinel".into(),
    };
    let answer = talk(Box::new(client), &login).await;
    let mut heard = Vec::new();
    broker.read_to_end(&mut heard).await.expect("all of it");
    (answer.map_err(|fault| fault.kind()), heard)
}

#[tokio::test]
async fn a_login_is_told_by_the_answer() {
    let close = |code: u16| frame(CLOSE, &[&code.to_be_bytes(), &[0], &TABLE]);
    let tune = frame(TUNE, &[&[7, 255], &[0, 2, 0, 0], &[0, 60]]);
    let both = [start("AMQPLAIN PLAIN"), tune].concat();
    let (answer, heard) = told(&both).await;
    assert!(matches!(answer, Ok(Answer::Tune)));
    let (greeting, rest) = heard.split_at(GREETING.len());
    assert_eq!(greeting, GREETING);
    let response = b"\x05PLAIN\0\0\0\x0d\0app\0sentinel\x05en_US\xce";
    assert!(rest.ends_with(response), "{rest:?}");
    let size = u32::from_be_bytes(rest[3..7].try_into().expect("four"));
    assert_eq!(usize::try_from(size).expect("64 bits") + 8, rest.len());

    for code in [403, 320] {
        let (answer, _) = told(&[start("PLAIN"), close(code)].concat()).await;
        assert!(matches!(answer, Ok(Answer::Close(it)) if it == code));
    }
    let (answer, heard) = told(&close(541)).await;
    assert!(matches!(answer, Ok(Answer::Close(541))));
    assert_eq!(heard, GREETING);
}

#[tokio::test]
async fn no_password_goes_to_whom_it_is_not_for() {
    let long = [&[1, 0, 0][..], &[0, 1, 0, 0]].concat();
    for (says, kind) in [
        (b"AMQP\0\0\x09\x01".to_vec(), io::ErrorKind::InvalidData),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            io::ErrorKind::InvalidData,
        ),
        (
            b"220 mail.example ESMTP\r\n".to_vec(),
            io::ErrorKind::InvalidData,
        ),
        (Vec::new(), io::ErrorKind::UnexpectedEof),
        (start("PLAIN")[..20].to_vec(), io::ErrorKind::UnexpectedEof),
        (long, io::ErrorKind::UnexpectedEof),
        (
            vec![1, 0, 0, 255, 255, 255, 255],
            io::ErrorKind::InvalidData,
        ),
        (frame(TUNE, &[]), io::ErrorKind::InvalidData),
        (
            frame(START, &[&[0, 9], &[0, 0, 0, 99]]),
            io::ErrorKind::InvalidData,
        ),
        (vec![1, 0, 0, 0, 0, 0, 0, 0xCE], io::ErrorKind::InvalidData),
        (vec![1, 0, 0, 0, 0, 0, 0, 0], io::ErrorKind::InvalidData),
    ] {
        let (answer, heard) = told(&says).await;
        assert_eq!(answer.err(), Some(kind), "{says:?}");
        assert_eq!(heard, GREETING, "{says:?}");
    }
    for mechanisms in ["AMQPLAIN EXTERNAL", "PLAINER", ""] {
        let (answer, heard) = told(&start(mechanisms)).await;
        assert!(matches!(answer, Ok(Answer::NoPlain)));
        assert_eq!(heard, GREETING);
    }
}
