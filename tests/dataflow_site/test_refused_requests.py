"""Requests that the web server refuses before Django sees them."""

import json

import pytest
from waitress.adjustments import Adjustments

from dataflow_site.front.answers import Problem
from dataflow_site.front.requests import Request

LONG = b"x" * 40_000


def received(data: bytes, *, at_once: int) -> Request:
    request = Request(Adjustments(max_request_header_size=1 << 15))
    for start in range(0, len(data), at_once):
        if request.completed:
            break
        request.received(data[start : start + at_once])
    return request


@pytest.mark.parametrize("at_once", [50_000, 8_192, 1_000])
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET /api/v1/records?q=" + LONG + b" HTTP/1.1\r\nHost: a\r\n\r\n", "uri_too_long"),
        (b"GET /api/v1/records HTTP/1.1\r\nX: " + LONG, "headers_too_large"),
        (b"GET /api/\x01 HTTP/1.1\r\n\r\n", "parse_error"),
    ],
)
def test_the_api_answers_what_it_can_not_read_by_a_problem(sent, code, at_once):
    request = received(sent, at_once=at_once)
    assert request.is_for_api
    status, headers, body = Problem(request.error).to_response()
    assert headers == [("Content-Type", "application/problem+json")]
    said = json.loads(body)
    assert said["code"] == code
    assert status.startswith(str(said["status"]))


def test_pages_are_not_the_api():
    assert not received(b"GET /login/?" + LONG, at_once=8_192).is_for_api
    assert not received(b"GET /apis HTTP/1.1\r\nHost: a\r\n\r\n", at_once=8_192).is_for_api
