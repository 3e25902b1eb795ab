"""The desk around the pen: refused strokes, ghosts, files of outlines, people, jobs, proxies."""

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import sys
import threading

import numpy as np
import pytest

from noisylabels.annotation.users import add_person
from noisylabels.data.outlines import Outline, write_outlines
from tests.annotation.pages import VIEWPORT, Desk, Tab, agree, correct, near_line, served
from tests.annotation.test_jobs import NETWORK

pytestmark = pytest.mark.browser

CURVE = {
    "points": [{"n_fields": 2, "score": 0.5, "low": 0.4, "high": 0.6}],
    "next_ten": {"gain": 0.012, "low": 0.004, "high": 0.02},
    "stop": False,
    "sentence": "The next 10 fields are expected to add 0.012 (0.004 to 0.020) to the mean IoU.",
}
PATIENT = (
    NETWORK.replace('{"stop": False}', repr(CURVE)).replace('== "slow"', '== "cdl"').replace("sleep(60)", "sleep(1)")
)


@pytest.fixture
def desk(tmp_path):
    with served(tmp_path) as desk:
        yield desk


def test_a_refused_stroke_is_discarded_and_the_next_one_is_saved(desk, context):
    tab = correct(context, desk)
    session, task = desk.session(), tab.task()
    expected = session.label_map(task).copy()
    refuse = json.dumps({"error": "A label map must have classes of the project, got 9."})
    context.route("**/revisions", lambda route: route.fulfill(status=400, content_type="application/json", body=refuse))
    tab.drag((20.5, 10.5), (20.5, 30.5))
    tab.page.wait_for_selector("#discard:visible")
    assert tab.text("#saved") == "A label map must have classes of the project, got 9."
    context.unroute("**/revisions")
    tab.page.click("#discard")
    tab.page.wait_for_selector("#notice:text-is('The refused stroke is discarded.')")
    agree(tab, session, task, expected)
    assert tab.page.is_hidden("#discard")
    path = tab.drag((20.5, 10.5), (20.5, 30.5), steps=1)
    expected[near_line(path, 7)] = 1
    agree(tab, session, task, expected)


def test_ghosts_of_a_method_and_of_a_colleague_are_outlines_over_the_field(desk, context):
    add_person(desk.project, "anna", "annotator")
    hers = desk.session("anna")
    token = hers.open("B01_f1")
    drawn = np.zeros_like(hers.label_map(token))
    drawn[10:30, 20:40] = 2
    head = hers.commit(token, drawn, parent=hers.head(token).revision, tool="lasso")
    hers.close(token, "accepted", revision=head.revision)
    tab = Tab(context, desk.url + desk.link())
    tab.page.click("#fields button >> nth=0")
    tab.ready()
    tab.page.wait_for_selector("#ghost option[value='person=anna']", state="attached")
    assert tab.page.locator("#ghost option").all_inner_texts() == ["none", "cdl", "cip", "anna's map"]
    tab.keys("t")  # labels away: what is seen is the image and the ghost
    rim, within = (10.5, 30.5), (20.5, 30.5)
    before = tab.pixel(*rim), tab.pixel(*within)
    tab.page.select_option("#ghost", "person=anna")
    dotted = lambda: tab.pixel(*rim) != before[0] or tab.pixel(10.5, 31.5) != before[0]  # noqa: E731  one of two neighbours
    tab.until(dotted)
    assert dotted()
    assert tab.pixel(*within) == before[1]
    said = json.loads(desk.project.value("SELECT detail FROM log WHERE event = 'compared'"))
    assert (said["kind"], said["ghost"]) == ("person", "anna")


def test_a_file_of_outlines_is_loaded_and_undone(desk, context, tmp_path):
    tab = correct(context, desk)
    session, task = desk.session(), tab.task()
    before = session.label_map(task).copy()
    ring = np.array([[4, 5], [4, 25], [14, 25], [14, 5]], float)
    (tmp_path / "moved.geojson").write_bytes(write_outlines([Outline("autolysosome", (ring,))], "geojson"))
    (tmp_path / "other.zip").write_bytes(write_outlines([Outline("nucleus", (ring,))], "roi"))
    tab.page.set_input_files("#outlines-file", tmp_path / "moved.geojson")
    tab.page.wait_for_selector("#notice:text('The outlines of moved.geojson are in')")
    expected = np.zeros_like(before)
    expected[4:14, 5:25] = 2
    agree(tab, session, task, expected)
    tab.page.set_input_files("#outlines-file", tmp_path / "other.zip")
    tab.page.wait_for_selector("#notice:text('nucleus')")
    agree(tab, session, task, expected)
    tab.keys("Control+z")
    tab.page.wait_for_selector("#stage[aria-busy=false]")
    agree(tab, session, task, before)


def test_the_owner_invites_and_revokes_and_gives_a_field_to_others(desk, browser, context):
    tab = Tab(context, desk.url + desk.link())
    tab.page.fill("#invite-name", "Zoë Müller")
    tab.page.click("#invite button")
    tab.page.wait_for_selector("#invite-link:visible")
    hers = browser.new_context(viewport=VIEWPORT)
    guest = Tab(hers, tab.page.input_value("#invite-url"))
    assert guest.text("#person") == "Zoë Müller, annotator"
    guest.open(desk.url + "/correct")
    task = guest.task()
    tab.page.reload()
    tab.ready()
    tab.page.click("#people button:text-is('Revoke')")
    tab.page.wait_for_selector("#notice:text-is('Zoë Müller is out. What they did is kept.')")
    assert guest.page.evaluate("fetch('/api/session').then((answer) => answer.status)") == 401
    tab.open(f"{desk.url}/correct?task={task}")
    tab.page.click("#release")
    tab.page.wait_for_selector("#state:text-is('released by Zoë Müller')")
    tab.page.click("#replace")  # the owner corrects it
    tab.page.wait_for_selector(f"#stage:not([data-field='{task}']):not([data-field=''])")
    assert desk.project.value("SELECT count(DISTINCT person) FROM task WHERE field = 1") == 2
    hers.close()


def test_a_prediction_tells_that_it_runs_and_a_learning_curve_tells_what_ten_more_are_worth(tmp_path, context):
    with served(tmp_path, 2, command=(sys.executable, "-c", PATIENT)) as desk:
        tab = correct(context, desk)
        task = tab.task()
        tab.page.click("#predict")
        tab.page.wait_for_selector("#predict-progress:visible")
        assert tab.text("#predict-progress span") == "predicting"
        tab.page.wait_for_selector("#predict-progress", state="hidden")
        tab.page.wait_for_selector("#notice:text('The prediction is in')")
        tab.keys("Enter")
        tab.leaves(task)
        tab.open(desk.url + "/")
        tab.page.select_option("#train-bundle", "cdl")
        tab.page.click("#curve")
        tab.page.wait_for_selector(f"#jobs :text('{CURVE['sentence']}')")
        assert tab.faults == []


class Tunnel:
    """A port that leads to another one, by TLS if there is a certificate: an SSH tunnel, or a proxy."""

    def __init__(self, port, certificate=None):
        self.port_behind, self.context = port, None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets, self.threads = [self.listener], []
        self.start(self.listen)

    def start(self, work, *arguments):
        self.threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self.threads[-1].start()

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                self.sockets.append(near)
                self.start(self.lead, near)

    def lead(self, near):
        with contextlib.suppress(OSError):
            if self.context is not None:
                near = self.context.wrap_socket(near, server_side=True)
                self.sockets.append(near)
            far = socket.create_connection(("127.0.0.1", self.port_behind))
            self.sockets.append(far)
            self.start(self.copy, far, near)
            self.copy(near, far)

    def copy(self, source, target):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    def close(self):
        for each in list(self.sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in list(self.threads):
            thread.join(timeout=2)
        for each in self.sockets:
            each.close()


def test_a_stroke_is_saved_through_a_tunnel_to_another_port(desk, context):
    tunnel = Tunnel(desk.port)
    tab = Tab(context, f"http://localhost:{tunnel.port}{desk.link()}")
    tab.open(f"http://localhost:{tunnel.port}/correct")
    session, task = desk.session(), tab.task()
    expected = session.label_map(task).copy()
    expected[near_line(tab.drag((20.5, 10.5), (20.5, 30.5), steps=1), 7)] = 1
    agree(tab, session, task, expected)
    tunnel.close()


def test_a_stroke_is_saved_through_a_proxy_that_speaks_tls(desk, browser, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("left out: openssl is not here to make a certificate")
    pem = tmp_path / "desk.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=desk.localhost"]
    subprocess.run([*words, "-keyout", pem, "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    pem.write_bytes(pem.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tunnel = Tunnel(port, pem)
    public = f"https://desk.localhost:{tunnel.port}"
    behind = Desk(desk.path, port=port, public_url=public)
    context = browser.new_context(viewport=VIEWPORT, ignore_https_errors=True)
    try:
        tab = Tab(context, public + behind.link())
        tab.open(public + "/correct")
        session, task = behind.session(), tab.task()
        expected = session.label_map(task).copy()
        expected[near_line(tab.drag((20.5, 10.5), (20.5, 30.5), steps=1), 7)] = 1
        agree(tab, session, task, expected)
        strange = browser.new_context(viewport=VIEWPORT)
        answer = strange.request.get(f"http://127.0.0.1:{port}/api/session", headers={"Host": "evil.example"})
        assert answer.status == 421
        strange.close()
    finally:
        context.close()
        behind.stop()
        tunnel.close()
