"""The pages that show the API and let people try it: Swagger UI at `/`, ReDoc at `/redoc`, from `/openapi.json`.

Libraries' networks may have no way out, so the pages load nothing from outside: their scripts come from this server,
and a Content-Security-Policy has the browser enforce that. Of inline scripts it runs only those written here.
"""

import base64
import re
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.responses import FileResponse, HTMLResponse, Response

router = APIRouter(include_in_schema=False)

_ASSETS = "/assets"
_REDOC = "redoc.standalone.js"
_NAMES = {"swagger-ui-bundle.js", "swagger-ui.css", _REDOC, "favicon.png"}
_LOGO = re.compile(rb"https://cdn\.redoc\.ly/[\w./-]*")
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_A_DAY = {"Cache-Control": "max-age=86400"}
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'{inline}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


@router.get("/")
async def swagger_ui(request: Request) -> HTMLResponse:
    """Return Swagger UI, without its validator badge, which is an image from another server."""
    base = _base(request)
    return _with_policy(
        get_swagger_ui_html(
            openapi_url=f"{base}{request.app.openapi_url}",
            title=request.app.title,
            swagger_js_url=f"{base}{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{base}{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{base}{_ASSETS}/favicon.png",
            swagger_ui_parameters={"validatorUrl": None},
        )
    )


@router.get("/redoc")
@router.get("/redoc/")
async def redoc(request: Request) -> HTMLResponse:
    """Return ReDoc, without the fonts from another server."""
    base = _base(request)
    return _with_policy(
        get_redoc_html(
            openapi_url=f"{base}{request.app.openapi_url}",
            title=request.app.title,
            redoc_js_url=f"{base}{_ASSETS}/{_REDOC}",
            redoc_favicon_url=f"{base}{_ASSETS}/favicon.png",
            with_google_fonts=False,
        )
    )


@router.get(_ASSETS + "/{name}")
async def asset(name: str) -> Response:
    """Return a file that the pages load, from the package fastapi_offline, which is installed for these files alone."""
    if name not in _NAMES:
        raise HTTPException(404)
    if name == _REDOC:
        return Response(_redoc_without_logo(), headers=_A_DAY, media_type="text/javascript")
    return FileResponse(_folder() / name, headers=_A_DAY)


@cache
def _redoc_without_logo() -> bytes:
    """Return ReDoc's script without its maker's logo, which it would fetch from another server."""
    return _LOGO.sub(b"data:,", (_folder() / _REDOC).read_bytes())


def _folder() -> Path:
    spec = find_spec("fastapi_offline")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("static")


def _base(request: Request) -> str:
    """Return the path that a proxy takes off: the browser must put it in front of the pages' addresses."""
    root_path: str = request.scope.get("root_path", "")
    return root_path.rstrip("/")


def _with_policy(page: HTMLResponse) -> HTMLResponse:
    hashes = (sha256(script.encode()).digest() for script in _INLINE.findall(bytes(page.body).decode()))
    inline = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in hashes)
    page.headers["Content-Security-Policy"] = _POLICY.format(inline=inline)
    return page
