"""Getting in and out: links that are asked for, cookies that beat them, logout, revoking, proxies and tunnels."""

import pytest

from noisylabels.annotation.cookies import invite, revoke
from noisylabels.annotation.fields import create_project
from noisylabels.annotation.server import Address, create_app
from noisylabels.annotation.users import add_person, check_name, owner_of
from tests.annotation.desks import Browser, Client, make_dataset, make_project, open_desk, refused


@pytest.fixture
def desk(tmp_path):
    project, app, browser = open_desk(tmp_path)
    with project:
        yield project, app, browser


def test_ones_own_link_while_being_in_spends_nothing_and_a_spent_one_is_no_obstacle(desk):
    project, _, browser = desk
    token = invite(project, owner_of(project))
    for path in (f"/?token={token}", f"/?token={token}", "/?token=spent-or-unknown"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert project.value("SELECT count(*) FROM link WHERE spent IS NULL") == 1


def test_who_opens_the_link_of_somebody_else_is_asked_and_stays_who_they_are(desk):
    project, _, browser = desk
    token = invite(project, add_person(project, "Zoë <Müller>".replace("<", "").replace(">", ""), "annotator"))
    asked = browser.get(f"/?token={token}")
    assert asked.status_code == 200
    assert '<a href="/">Stay owner</a>' in asked.text
    assert "Enter as Zoë Müller" in asked.text
    assert browser.get("/api/session").json()["person"] == "owner"
    assert browser.enter(token).status_code == 303
    assert browser.get("/api/session").json()["person"] == "Zoë Müller"


def test_entering_needs_our_own_page(desk):
    project, app, _ = desk
    token = invite(project, owner_of(project))
    for origin in ("http://evil.example", "null", ""):
        assert Client(app).enter(token, {"Origin": origin}).status_code == 403
    assert Client(app).enter(token).status_code == 303


def test_logging_out_ends_this_browser_alone(desk):
    project, app, browser = desk
    other = Browser(app, project, owner_of(project))
    assert browser.post("/api/logout").json() == {"left": True}
    assert browser.get("/api/session").status_code == 401
    assert other.get("/api/session").status_code == 200


def test_revoking_ends_all_browsers_and_unopened_links_of_one_person(desk):
    project, app, browser = desk
    anna = add_person(project, "anna", "annotator")
    hers = [Browser(app, project, anna) for _ in range(2)]
    token = invite(project, anna)
    people = {row["name"]: row for row in browser.get("/api/people").json()["people"]}
    assert (people["anna"]["n_cookies"], people["anna"]["n_links"]) == (2, 1)
    answer = browser.post("/api/people/revoke", name="anna").json()
    assert {row["name"]: (row["n_cookies"], row["n_links"]) for row in answer["people"]} == {
        "owner": (1, 0),
        "anna": (0, 0),
    }
    assert {person.get("/api/session").status_code for person in hers} == {401}
    assert Client(app).enter(token).status_code == 401
    assert revoke(project, anna, "owner") == (0, 0)


def test_the_owner_invites_somebody_whose_link_works(desk):
    _project, app, browser = desk
    answer = browser.post("/api/people/invite", name="李雷")
    assert (answer.status_code, answer.json()["role"]) == (201, "annotator")
    assert Client(app).enter(answer.json()["link"].split("token=")[1]).status_code == 303
    assert browser.post("/api/people/invite", name="a/b").status_code == 400


def test_a_proxy_that_speaks_https_is_let_through_at_its_own_address_only(tmp_path):
    with make_project(tmp_path) as project:
        address = Address(public_url="https://desk.lab.example/")
        app = create_app(project, address, dist=tmp_path)
        assert address.url("T") == "https://desk.lab.example/?token=T"
        proxied = {"Host": "desk.lab.example", "Origin": "https://desk.lab.example"}
        client = Client(app, proxied)
        entered = client.enter(invite(project, owner_of(project)), proxied)
        assert entered.status_code == 303
        assert "Secure" in entered.headers["set-cookie"]
        cookie = {"Cookie": entered.headers["set-cookie"].split(";")[0]}
        headers = proxied | cookie
        assert Client(app).request("GET", "/api/session", headers=headers).status_code == 200
        post = {"json": {"key": "abcdefgh"}}
        assert Client(app).request("POST", "/api/tasks/next", headers=headers, **post).status_code == 200
        other = headers | {"Origin": "https://other.lab.example"}
        assert Client(app).request("POST", "/api/tasks/next", headers=other, **post).status_code == 403
        stranger = headers | {"Host": "other.lab.example"}
        assert Client(app).request("GET", "/api/session", headers=stranger).status_code == 421


@pytest.mark.parametrize("url", ["desk.lab.example", "ftp://desk", "https://", "https://lab.example/desk"])
def test_a_public_address_that_is_none_is_refused(url):
    with refused(f"A public address must be http:// or https://, a name and perhaps a port, got {url}."):
        Address(public_url=url)


def test_a_tunnel_to_another_port_works(desk):
    _, _, browser = desk
    tunnel = {"Host": "localhost:9000", "Origin": "http://localhost:9000"}
    assert browser.request("POST", "/api/tasks/next", json={"key": "abcdefgh"}, headers=tunnel).status_code == 200
    crossed = tunnel | {"Origin": "http://localhost:9001"}
    assert browser.request("POST", "/api/tasks/next", json={"key": "abcdefgh"}, headers=crossed).status_code == 403


@pytest.mark.parametrize(
    "name", ["", " anna", "anna.", "a/b", "..", "a\nb", "=1+1", "-x", "x" * 65, "a\u202eb", "CON:", "a  b"]
)
def test_names_that_cannot_stand_in_a_path_or_table_are_refused(tmp_path, name):
    with refused("A name must be 1 to 64 letters, digits, spaces or _ . @ - ', and begin with a letter or digit, got "):
        check_name(name)
    make_dataset(tmp_path / "dataset", 1)
    with refused("A name must be"):
        create_project(tmp_path / "a.desk", tmp_path / "dataset", owner=name)
    assert not (tmp_path / "a.desk").exists()


def test_a_name_is_one_however_its_accents_are_typed():
    assert check_name("Zoe\u0308") == check_name("Zo\u00eb") == "Zoë"


def test_a_moved_dataset_folder_is_one_sentence_and_no_fault_of_the_server(desk, tmp_path):
    _, _, browser = desk
    task = browser.post("/api/tasks/next").json()["task"]["task"]
    (tmp_path / "dataset").rename(tmp_path / "moved")
    for path in ("/api/session", f"/api/tasks/{task}", f"/api/tasks/{task}/image", "/api/fields/1/thumbnail"):
        answer = browser.get(path)
        assert answer.status_code == 503, path
        assert answer.json()["error"].startswith("The dataset folder of screen.desk must be where it was, but it was")
    assert browser.get(f"/api/tasks/{task}/labels").status_code == 200  # what was painted is in the project file
