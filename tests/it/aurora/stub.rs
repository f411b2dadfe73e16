//! An RDS API that answers what a test wants, and remembers what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the cluster `lab` is like.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) engine: &'static str,
    pub(super) status: &'static str,
    pub(super) instance_status: &'static str,
    pub(super) tagged: bool,
    /// Instead of every answer: an error of the API's.
    pub(super) error: Option<&'static str>,
}

impl Default for Shape {
    fn default() -> Shape {
        let (engine, status) = ("aurora-postgresql", "available");
        Shape { engine, status, instance_status: "available", tagged: true, error: None }
    }
}

/// The API, for as long as the test's process runs.
pub(super) struct Stub {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    pub(super) fn serve(shape: Shape) -> Stub {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is its own affair.
                drop(answer(&stream, &shape, &log));
            }
        });
        Stub { url, asked }
    }

    /// The calls so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The body of the one request on a connection.
pub(crate) fn body(stream: &TcpStream) -> std::io::Result<String> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// Answers it, and ends the connection.
pub(crate) fn respond(mut stream: &TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn answer(stream: &TcpStream, shape: &Shape, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let body = body(stream)?;
    let field = |name: &str| body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let action = field("Action").unwrap_or_default().to_owned();
    log.lock().unwrap().push(action.clone());
    let known = field("DBClusterIdentifier").is_none_or(|name| name == "lab");
    let error = shape.error.or((!known).then_some("DBClusterNotFoundFault"));
    let (status, body) = match error {
        Some(code) => (400, refusal(code)),
        None => (200, wrapped(&action, &result(&action, shape))),
    };
    respond(stream, status, &body)
}

fn refusal(code: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>as the test wants it</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
}

fn wrapped(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn result(action: &str, shape: &Shape) -> String {
    let Shape { engine, status, instance_status, tagged, .. } = shape;
    match action {
        "DescribeDBClusters" => {
            let tags = if *tagged {
                "<TagList><Tag><Key>replab:faults</Key><Value>allowed</Value></Tag></TagList>"
            } else {
                ""
            };
            format!(
                "<DBClusters><DBCluster><DBClusterIdentifier>lab</DBClusterIdentifier><DBClusterArn>arn:aws:rds:us-east-1:1:\
                 cluster:lab</DBClusterArn><Engine>{engine}</Engine><EngineVersion>16.4</EngineVersion><Status>{status}\
                 </Status><Port>5432</Port><Endpoint>127.0.0.1</Endpoint><ReaderEndpoint>127.0.0.1</ReaderEndpoint>\
                 <DBClusterMembers>{}{}</DBClusterMembers>{tags}</DBCluster></DBClusters>",
                member("lab-1", true),
                member("lab-2", false)
            )
        }
        "DescribeDBInstances" => {
            let instance = |name: &str| {
                format!(
                    "<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier><DBInstanceStatus>{instance_status}\
                     </DBInstanceStatus><Endpoint><Address>127.0.0.1</Address><Port>1</Port></Endpoint></DBInstance>"
                )
            };
            format!("<DBInstances>{}{}</DBInstances>", instance("lab-1"), instance("lab-2"))
        }
        _ => String::new(),
    }
}

fn member(name: &str, is_writer: bool) -> String {
    format!(
        "<DBClusterMember><DBInstanceIdentifier>{name}</DBInstanceIdentifier><IsClusterWriter>{is_writer}\
         </IsClusterWriter><PromotionTier>1</PromotionTier></DBClusterMember>"
    )
}
