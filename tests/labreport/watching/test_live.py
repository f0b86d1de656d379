"""The page's server: who gets an answer, and what browsers are told that come, wait, stop reading and go."""

import http.client
import re
import socket
import threading
import time

import pytest
from listening import Listener, parts
from processes import wait_for

from labreport.errors import UsageError
from labreport.watching.live import Live

PAGE = b"<!doctype html><title>T</title>"


@pytest.fixture
def live(monkeypatch):
    monkeypatch.setattr("labreport.watching.live.POLL_SECONDS", 0.01)
    live = Live(lambda: PAGE)
    yield live
    live.close()


def ask(live, path=None, method="GET", host=None, **headers):
    """Return the answer to a request, by default that for the page."""
    port, page = parts(live.url)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest(method, page if path is None else path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{port}")
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.body = answer.read() if "events" not in (path or "") or answer.status != 200 else b""
    return answer


def test_who_knows_the_address_gets_the_page(live):
    answer = ask(live)
    assert (answer.status, answer.body) == (200, PAGE)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Content-Security-Policy", "frame-ancestors 'none'"),
    ],
)
def test_each_answer_keeps_what_is_private(live, name, value):
    for path in (None, "/", f"{parts(live.url)[1]}events"):
        assert ask(live, path, method="HEAD").headers[name] == value


def test_no_answer_names_python_or_its_version(live):
    assert "ython" not in str(ask(live, "/").headers) + str(ask(live).headers)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/favicon.ico",
        "/{token}",
        "/{token}/?x",
        "/{token}/report.html",
        "/{token}/../{token}/",
        "/{token}/../../etc/passwd",
        "/{token}/%2e%2e/",
        "/x{token}/",
        "/{upper}/",
        "/{short}/",
        "/{token}/events/",
        "/events",
        "http://127.0.0.1/{token}/",
        "/é",
    ],
)
def test_every_other_address_gets_the_same_empty_answer(live, path):
    port, page = parts(live.url)
    token = page.strip("/")
    path = path.format(token=token, upper=token.swapcase(), short=token[:-1])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        plain.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        answer = plain.makefile("rb").read()
    assert re.match(rb"HTTP/1.0 40[04] ", answer)
    assert answer.endswith(b"\r\n\r\n")
    assert token.encode() not in answer


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}"]
)
def test_a_name_that_somebody_lets_point_to_this_machine_gets_nothing(live, host):
    answer = ask(live, host=host.format(port=parts(live.url)[0]))
    assert (answer.status, answer.body) == (404, b"")


def test_the_machine_may_be_called_localhost(live):
    assert ask(live, host=f"localhost:{parts(live.url)[0]}").status == 200


def test_a_second_host_is_no_way_in(live):
    port, _ = parts(live.url)
    assert ask(live, host="evil.example", hOST=f"127.0.0.1:{port}").status == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_Fetch_Site": "none"}, 200),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "cross-site"}, 404),
        ({"Sec_Fetch_Site": "same-site"}, 404),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}, 404),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}, 200),
        ({"Origin": "https://evil.example"}, 404),
        ({"Origin": "null"}, 404),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
    ],
)
def test_a_page_of_another_site_reads_nothing_but_may_link_here(live, headers, status):
    headers = {name: value.format(port=parts(live.url)[0]) for name, value in headers.items()}
    assert ask(live, **headers).status == status
    assert ask(live, f"{parts(live.url)[1]}events", **headers).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_nothing_can_be_sent_to_it(live, method):
    answer = ask(live, method=method)
    assert (answer.status, answer.body) == (501, b"")


def test_the_head_of_the_page_has_no_body(live):
    answer = ask(live, method="HEAD")
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, str(len(PAGE)), b"")


def test_only_this_machine_can_connect(live):
    assert live._server.server_address[0] == "127.0.0.1"


def test_two_watches_have_two_addresses(live):
    other = Live(lambda: PAGE)
    assert parts(other.url)[0] != parts(live.url)[0]
    assert parts(other.url)[1] != parts(live.url)[1]
    assert ask(other, parts(live.url)[1]).status == 404
    other.close()


def test_a_port_that_is_taken_is_an_error_with_a_cure(live):
    port, _ = parts(live.url)
    with pytest.raises(UsageError, match=f"port {port} is taken by another program") as caught:
        Live(lambda: PAGE, port)
    assert "--port" in caught.value.cure


def test_a_port_is_free_again_at_once(live):
    port, _ = parts(live.url)
    browser = Listener(live.url)
    live.close()
    again = Live(lambda: PAGE, port)
    assert parts(again.url)[0] == port
    again.close()
    browser.close()


def test_a_browser_that_comes_is_told_how_things_are(live):
    live.publish({"errors": ["a\nb", "é\u2028"]})
    browser = Listener(live.url)
    assert b"Content-Type: text/event-stream; charset=utf-8" in browser.head
    assert browser.event() == {"retry": "1000"}
    assert browser.event() == {"data": '{"errors": ["a\\nb", "\\u00e9\\u2028"]}'}
    browser.close()


def test_all_browsers_are_told_what_is_new(live):
    browsers = [Listener(live.url) for _ in range(20)]
    for browser in browsers:
        assert browser.state() == {}
    live.publish({"said": "new"})
    for browser in browsers:
        assert browser.state() == {"said": "new"}
        browser.close()


def test_what_is_not_new_is_not_told(live):
    live.publish({"said": "a"})
    browser = Listener(live.url)
    assert browser.state() == {"said": "a"}
    live.publish({"said": "a"})
    live.publish({"said": "b"})
    assert browser.state() == {"said": "b"}
    browser.close()


def test_who_does_not_read_holds_up_nobody_and_misses_only_what_is_over(live):
    slow = Listener(live.url)
    for number in range(500):
        live.publish({"number": number, "padding": "x" * 100_000})
    quick = Listener(live.url)
    assert quick.state()["number"] == 499
    seen = [slow.state().get("number")]
    while seen[-1] != 499:
        seen.append(slow.state()["number"])
    assert len(seen) < 100
    quick.close()
    slow.close()


def answering():
    """Return the threads that answer somebody."""
    return [thread for thread in threading.enumerate() if "process_request" in thread.name]


def test_who_has_gone_is_forgotten(live, capsys):
    wait_for(lambda: not answering())
    browsers = [Listener(live.url) for _ in range(5)]
    assert len(answering()) == 5
    for browser in browsers:
        browser.close()

    def is_forgotten():
        live.publish({"now": time.monotonic()})
        return not answering()

    wait_for(is_forgotten)
    assert capsys.readouterr() == ("", "")


def test_its_end_ends_all_browsers(live):
    browsers = [Listener(live.url) for _ in range(3)]
    for browser in browsers:
        assert browser.state() == {}
    live.close()
    for browser in browsers:
        assert browser.event() is None
        browser.close()
    with pytest.raises(ConnectionRefusedError):
        ask(live)


def test_what_no_browser_sends_is_refused_without_a_word(live, capsys):
    port, _ = parts(live.url)
    for nonsense in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"G" * 70_000 + b"\r\n",
        b"",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            plain.sendall(nonsense)
            plain.shutdown(socket.SHUT_WR)
            assert PAGE not in plain.makefile("rb").read()
    assert ask(live).status == 200
    assert capsys.readouterr() == ("", "")
