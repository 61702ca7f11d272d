"""Commands of other tools than curl: what browsers, Postman and documentation offer to copy is read, or named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.grammar import parse
from flowlet_jupyter.notebook.request_line.interpolation import prepare

CANARY = "canary-value-9b20"


def prepared(cell: str, line: str = "", **names):
    return prepare(parse(line, cell), lambda source: eval(source, {}, names), lambda name: f"file {name}".encode())  # noqa: S307 - the test's own text


BROWSER_FETCH = r"""fetch("https://a.example/api?y=1", {
  "headers": {
    "accept": "application/json, text/plain, */*",
    "authorization": "Bearer CANARY",
    "content-type": "application/json",
    "sec-ch-ua": "\"Chromium\";v=\"124\""
  },
  "referrer": "https://a.example/page",
  "referrerPolicy": "strict-origin-when-cross-origin",
  "body": "{\"a\":\"caf\u00e9 \ud83d\ude00\",\"b\":{\"c\":1}}",
  "method": "POST",
  "mode": "cors",
  "credentials": "include"
});""".replace("CANARY", CANARY)


def test_fetch_as_a_browser_copies_it():
    spec = parse("", BROWSER_FETCH)
    request = prepared(BROWSER_FETCH)
    assert (request.method, request.url) == ("POST", "https://a.example/api?y=1")
    assert dict(request.headers) == {
        "accept": "application/json, text/plain, */*",
        "content-type": "application/json",
        "sec-ch-ua": '"Chromium";v="124"',
        "Referer": "https://a.example/page",
    }
    assert request.content == '{"a":"café 😀","b":{"c":1}}'.encode()
    assert spec.left_out[0].description == "the header authorization"
    assert "cookies" in spec.notes[0]
    assert CANARY not in repr(spec)


def test_fetch_as_documentation_writes_it():
    request = prepared(
        """// the user's name
        const response = await fetch(`https://a.example/${ident}/x`, {
          method: 'PUT',
          headers: {'Content-Type': 'application/json', 'X-Two': "a" + 'b'}, /* both */
          body: JSON.stringify({name: 'it\\'s', who: user, flags: [true, null, 1.5,],}),
          redirect: 'manual',
        })""",
        ident="a/b",
        user={"id": 1},
    )
    assert (request.method, request.url) == ("PUT", "https://a.example/a%2Fb/x")
    assert dict(request.headers)["X-Two"] == "ab"
    assert json.loads(request.content) == {"name": "it's", "who": {"id": 1}, "flags": [True, None, 1.5]}


def test_the_media_types_that_fetch_gives_by_itself():
    form = prepared("fetch('https://a.example/', {method: 'POST', body: new URLSearchParams({a: 'x y', b: 2})})")
    assert (form.content, dict(form.headers)["Content-Type"].partition(";")[0]) == (
        b"a=x%20y&b=2",
        "application/x-www-form-urlencoded",
    )
    text = prepared("fetch('https://a.example/', {method: 'POST', body: 'x=1'})")
    assert dict(text.headers)["Content-Type"] == "text/plain;charset=UTF-8"
    assert prepared("await fetch('https://a.example/')").method == "GET"


BROWSER_POWERSHELL = r"""$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
$session.UserAgent = "Mozilla/5.0 (X11)"
$session.Cookies.Add((New-Object System.Net.Cookie("sid", "CANARY", "/", "a.example")))
Invoke-WebRequest -UseBasicParsing -Uri "https://a.example/x?`$top=1" `
-Method "POST" `
-WebSession $session `
-Headers @{
"authority"="a.example"
  "method"="POST"
  "path"="/x"
  "scheme"="https"
  "accept"="*/*"
  "sec-ch-ua"="`"Chromium`";v=`"124`""
} `
-ContentType "application/json; charset=UTF-8" `
-Body ([System.Text.Encoding]::UTF8.GetBytes("{`"a`":`"caf$([char]233) $([char]55357)$([char]56832)`"}"))""".replace(
    "CANARY", CANARY
)
POSTMAN_POWERSHELL = """$headers = New-Object "System.Collections.Generic.Dictionary[[String],[String]]"
$headers.Add("Content-Type", "application/json")
$headers.Add("X-Two", "a b")

$body = @"
{
    `"name`": `"it's "x"`"
}
"@

$response = Invoke-RestMethod 'https://a.example/x' -Method 'POST' -Headers $headers -Body $body
$response | ConvertTo-Json"""


def test_powershell_as_a_browser_copies_it():
    spec = parse("", BROWSER_POWERSHELL)
    request = prepared(BROWSER_POWERSHELL)
    assert (request.method, request.url) == ("POST", "https://a.example/x?$top=1")
    assert dict(request.headers) == {
        "accept": "*/*",
        "sec-ch-ua": '"Chromium";v="124"',
        "User-Agent": "Mozilla/5.0 (X11)",
        "Content-Type": "application/json; charset=UTF-8",
    }
    assert request.content == '{"a":"café 😀"}'.encode()
    assert spec.left_out[0].value.reveal() == f"sid={CANARY}"
    assert CANARY not in repr(spec)


def test_powershell_as_postman_copies_it():
    request = prepared(POSTMAN_POWERSHELL)
    assert (request.method, dict(request.headers)) == ("POST", {"Content-Type": "application/json", "X-Two": "a b"})
    assert request.content == b'{\n    "name": "it\'s "x""\n}'


@pytest.mark.parametrize(
    ("command", "method", "url", "content"),
    [
        ("irm https://a.example/x -Body @{ q = 'a b'; n = 2 } | ConvertTo-Json -Depth 4", "GET",
         "https://a.example/x?q=a%20b&n=2", None),
        ("Invoke-RestMethod -Method Post -Uri 'https://a.example' -Body @{ q = 'a b' }", "POST", "https://a.example", b"q=a%20b"),
        ("$b = @{ q = @(1, 2); m = @{ x = $true } } | ConvertTo-Json -Compress\nirm https://a.example -Method Post -Body $b",
         "POST", "https://a.example", b'{"q":[1,2],"m":{"x":true}}'),
        ('iwr "https://a.example/$ident" -Method delete', "DELETE", "https://a.example/a%2Fb", None),
        ("PS C:\\> irm 'https://a.example/it''s'", "GET", "https://a.example/it's", None),
        ("wget -qO- --header='X-A: b' https://a.example/x", "GET", "https://a.example/x", None),
        ("wget --method POST --timeout=0 \\\n  --body-data '{\"a\": 1}' \\\n  'https://a.example/x'", "POST", "https://a.example/x", b'{"a": 1}'),
        ("wget --post-file=b.json https://a.example/x", "POST", "https://a.example/x", b"file b.json"),
        ("http a.example/x q==1 t==@f.txt", "GET", "http://a.example/x?q=1&t=file%20f.txt", None),
        ("https POST a.example/x 'a[b]=1' 'ids[]:=1' 'ids[]:=2' note=@n.txt", "POST", "https://a.example/x",
         b'{"a": {"b": "1"}, "ids": [1, 2], "note": "file n.txt"}'),
        ("https -f PUT a.example/x a=1 'b=x y'", "PUT", "https://a.example/x", b"a=1&b=x%20y"),
        ("$p = @{\n  Uri = 'https://a.example'\n  Method = 'Post'\n  UseBasicParsing = $true\n}\nInvoke-RestMethod @p", "POST",
         "https://a.example", None),
        ("export HOST='a.example'\nID=5;\ncurl \"https://$HOST/$ID/$ident\"", "GET", "https://a.example/5/a%2Fb", None),
        ("sudo curl -4 --tlsv1.2 -D - -c jar a.example", "GET", "https://a.example", None),
        ("http :8000/x", "GET", "http://localhost:8000/x", None),
        ('curl ^"https://a.example/x?a=1^&b=2^" ^\n  -X ^"POST^" ^\n  --data-raw ^"^{^\\^"a^\\^":^\\^"50^%^ off^\\^"^}^"',
         "POST", "https://a.example/x?a=1&b=2", b'{"a":"50% off"}'),
        ('curl "https://a.example/x?$top=1" ^\r\n  --data-raw "{\\"a\\":1}"', "POST", "https://a.example/x?$top=1", b'{"a":1}'),
        ('curl ^"https://a.example/^" ^\n  --data-raw ^"a^\n\nb^"', "POST", "https://a.example/", b"a\nb"),
    ],
)  # fmt: skip
def test_commands(command, method, url, content):
    request = prepared(command, ident="a/b")
    assert (request.method, request.url, request.content) == (method, url, content)


@pytest.mark.parametrize(
    "command",
    [
        f"wget --user=ann --password={CANARY} https://a.example",
        f'TOKEN={CANARY}\ncurl https://a.example -H "Authorization: Bearer $TOKEN"',
        (
            f"curl https://a.example -H 'content-type: multipart/form-data; boundary=--X' --data-raw $'----X\\r\\n"
            f'Content-Disposition: form-data; name="api_key"\\r\\n\\r\\n{CANARY}\\r\\n----X\\r\\n'
            'Content-Disposition: form-data; name="a"\\r\\n\\r\\n1\\r\\n----X--\\r\\n\''
        ),
        f"wget --header 'Authorization: Bearer {CANARY}' https://a.example",
        f"https -a ann:{CANARY} a.example",
        f"https -A bearer -a {CANARY} a.example",
        f"https a.example X-Api-Key:{CANARY}",
        f"fetch('https://a.example', {{headers: {{'X-Api-Key': '{CANARY}'}}}})",
        f"irm https://a.example -Headers @{{ Authorization = 'Bearer {CANARY}' }}",
        f"$t = '{CANARY}'\nirm https://a.example -Headers @{{ Authorization = \"Bearer $t\" }}",
        f'curl ^"https://a.example^" -H ^"authorization: Bearer {CANARY}^"',
    ],
)
def test_a_credential_is_left_out_of_each(command):
    spec = parse("", command)
    assert len(spec.left_out) == 1
    assert CANARY in spec.left_out[0].value.reveal()
    assert CANARY not in repr(spec) + repr(prepared(command))


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("fetch('https://a.example').then(r => r.json())", "Only fetch"),
        ("fetch(url, {body: form.get('x')})", "not run here"),
        ("fetch('https://a.example', {body: new FormData()})", "URLSearchParams"),
        ("fetch('https://a.example', {agent: x})", "'agent' of fetch"),
        ("fetch('https://a.example", "not closed"),
        ("fetch(5)", "takes a URL"),
        ("irm https://a.example -Token $t", "as a secret"),
        ("irm https://a.example -Proxy 'x'", "'-proxy' of PowerShell"),
        ('irm "https://a.example/$(Get-Date)"', "Compute the value in Python"),
        ("$x = 5", "no URL"),
        ("Invoke-WebRequest -Method Get", "no URL"),
        ("irm https://a.example\nirm https://b.example", "Only one request"),
        ("wget --mirror https://a.example", "'--mirror'"),
        ("http --session x a.example --ssl=tls1", "'--ssl=tls1'|'--ssl'"),
        ("http POST a.example 'a[=1'", "left alone"),
        ("axios.get('https://a.example')", "cURL"),
        ("requests.get('https://a.example')", "cURL"),
        ("xh a.example", "cURL"),
        ('curl ^"https://a.example/%PATH%^"', "variable of cmd.exe"),
    ],
)
def test_what_is_not_read_says_why(command, says):
    with pytest.raises(RequestSyntaxError, match=says):
        prepared(command)


@given(
    st.sampled_from(["fetch(", "fetch('https://a.example', {", "irm ", "$h = @{", "wget ", "http ", 'curl ^"https://a.example^" ^']),
    st.text(alphabet="abc$`\"'{}()[]@=:,; \n\\-|^%", max_size=40),
)  # fmt: skip
def test_any_command_parses_or_says_why(start, text):
    try:
        parse("", start + text)
    except RequestSyntaxError as error:
        assert str(error)
