//! What goes through the redirector, and arrives as if there were none.

use freehold_guest_tests::home::Home;
use freehold_guest_tests::objects::endpoint;
use freehold_guest_tests::worker::{ABOVE, BELOW, Worker};
use freehold_guest_tests::{board, check, check_eq};
use freehold_rt::{CapName, Message, Rights, calls};

use crate::scene::{FROM, Scene, TO};

const LENGTHS: u32 = 63;

fn pattern(count: u32) -> Message {
    let mut message = Message::new(count as u16);
    for index in 0..count {
        message.push(0x1000 * count + index);
    }
    message
}

/// An untrusted client of a trusted server, and a trusted client of an untrusted server.
pub fn words() {
    fn client(endpoint: u32) {
        for count in 0..LENGTHS {
            let sent = pattern(count);
            let right = calls::call(CapName(endpoint), &sent)
                .is_ok_and(|answer| answer.label() == sent.label() + 1 && answer.words() == sent.words());
            board::add(0, right.into());
        }
    }
    fn server(endpoint: u32) {
        let mut got = calls::receive(CapName(endpoint));
        for _ in 0..LENGTHS {
            let Ok(received) = got else { break };
            let right = received.badge == 5
                && received.message.words() == pattern(received.message.words().len() as u32).words();
            board::add(1, right.into());
            let answer = Message::of(received.message.label() + 1, received.message.words());
            got = calls::reply_receive(None, &answer, CapName(endpoint));
        }
    }
    for client_is_untrusted in [true, false] {
        board::clear();
        let scene = Scene::new();
        let (_space, _redirector) = scene.redirector();
        let trusted = Home::new();
        let (from, to) = if client_is_untrusted { (&scene.home, &trusted) } else { (&trusted, &scene.home) };
        let endpoint = endpoint();
        from.give(TO, endpoint.name(), Rights::SEND, 5);
        to.give(FROM, endpoint.name(), Rights::RECEIVE, 0);
        let server = Worker::spawn(to, ABOVE, server, FROM.0);
        let client = Worker::spawn(from, BELOW, client, TO.0);
        check!(client.ends());
        check_eq!(
            (board::get(0), board::get(1)),
            (LENGTHS, LENGTHS),
            "untrusted client {client_is_untrusted}"
        );
        drop((client, server));
    }
}
