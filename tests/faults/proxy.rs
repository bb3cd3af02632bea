//! The network between a node and its database: it passes on, dawdles, falls silent, or is cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq)]
pub enum Manner {
    Passes,
    /// Each piece is this late.
    Dawdles(Duration),
    /// Takes everything and passes nothing on.
    Silent,
    /// Takes no connection.
    Cut,
}

pub struct Proxy {
    pub port: u16,
    manner: Arc<Mutex<Manner>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (manner, open) = (Arc::new(Mutex::new(Manner::Passes)), Arc::new(Mutex::new(Vec::new())));
        let proxy = Self { port: listener.local_addr().unwrap().port(), manner: manner.clone(), open: open.clone() };
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                if *manner.lock().unwrap() == Manner::Cut {
                    continue;
                }
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    open.lock().unwrap().push(from.try_clone().unwrap());
                    let manner = manner.clone();
                    std::thread::spawn(move || carry(from, to, &manner));
                }
            }
        });
        proxy
    }

    pub fn set(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
        if manner == Manner::Cut {
            self.drop_all();
        }
    }

    /// Cuts what is open; new connections are as before.
    pub fn drop_all(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, manner: &Mutex<Manner>) {
    let mut piece = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        let now = *manner.lock().unwrap();
        if let Manner::Dawdles(late) = now {
            std::thread::sleep(late);
        }
        while *manner.lock().unwrap() == Manner::Silent {
            std::thread::sleep(Duration::from_millis(20));
        }
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
    from.shutdown(Shutdown::Both).ok();
}
