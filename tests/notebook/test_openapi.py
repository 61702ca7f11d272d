"""Completion by an OpenAPI document: the right operation's parameters, and why there are none."""

from __future__ import annotations

import json

import pytest

from flowlet_jupyter.notebook import openapi
from flowlet_jupyter.notebook.openapi import parse, read


def document(*paths: str, **more):
    """An OpenAPI document in which each path has one query parameter, named after it."""
    return {
        "paths": {path: {"get": {"parameters": [{"name": path, "in": "query"}]}} for path in paths},
        **more,
    }


GITHUB = (
    "/repos/{owner}/{repo}/issues",
    "/repos/{owner}/{repo}/{ref}",
    "/repos/{owner}/{repo}",
    "/{any}/{of}/{these}/{four}",
)
SPOTIFY = ("/users/{id}/albums", "/{kind}/albums", "/me/albums", "/me/{kind}")


@pytest.mark.parametrize(
    ("paths", "url", "expected"),
    [
        (GITHUB, "https://api.example/repos/a/b/issues", "/repos/{owner}/{repo}/issues"),
        (GITHUB, "https://api.example/repos/a/b/main", "/repos/{owner}/{repo}/{ref}"),
        (GITHUB, "/repos/{{owner}}/{{repo}}/issues?state=open", "/repos/{owner}/{repo}/issues"),
        (SPOTIFY, "https://api.example/me/albums", "/me/albums"),
        (SPOTIFY, "https://api.example/us/albums", "/{kind}/albums"),
        (SPOTIFY, "https://api.example/v1/me/albums/", "/me/albums"),
        (SPOTIFY, "/me/albums", "/me/albums"),
    ],
)
def test_the_path_with_the_most_literal_text_is_meant(paths, url, expected):
    described = parse(document(*paths, servers=[{"url": "https://api.example/v1"}]))
    assert described.query_parameters("GET", url) == (expected,)


@pytest.mark.parametrize(
    "url", ["https://api.example/other/me/albums", "https://api.example/v1/me/albums/7", "/v2/me/albums"]
)
def test_a_path_is_anchored_at_the_base_of_a_server(url):
    described = parse(document("/me/albums", servers=[{"url": "https://api.example/v1"}]))
    assert described.query_parameters("GET", url) == ()


def test_the_base_path_of_openapi_2_is_one_too():
    assert parse(document("/me", basePath="/api/")).query_parameters("GET", "https://a.example/api/me") == ("/me",)


def test_a_reference_may_hold_a_slash_or_a_tilde():
    described = parse(
        {
            "paths": {"/a": {"get": {"parameters": [{"$ref": "#/paths/~1b~0c/get/parameters/0"}, {"$ref": "#/x~1y"}]}},
                      "/b~c": {"get": {"parameters": {"0": {"name": "first", "in": "query"}}}}},
            "x/y": {"name": "second", "in": "query"},
        }
    )  # fmt: skip
    assert described.query_parameters("GET", "/a") == ("first", "second")


def test_a_document_that_is_not_used_says_why(tmp_path, monkeypatch):
    file = tmp_path / "api.json"
    assert "No such file" in read(str(file)).problem
    file.write_text("{")
    assert "neither JSON nor YAML" in read(str(file)).problem
    file.write_text("[]")
    assert "describes no paths" in read(str(file)).problem
    file.write_text(json.dumps(document("/a")))
    assert (read(str(file)).problem, read(str(file)).paths()) == ("", ["/a"])
    monkeypatch.setattr(openapi, "_MAX_BYTES", 10)
    assert "it is too large" in read(str(file)).problem


def test_a_document_that_a_server_does_not_give_says_why(respx_mock):
    respx_mock.get("https://api.example.org/openapi.json").respond(404)
    assert "answered 404" in read("https://api.example.org/openapi.json").problem
