"""The URLs of all apps."""

from django.contrib import admin
from django.urls import include, path

from dataflow_site import api_urls
from explore.mcp import discovery
from explore.mcp.http import McpView

assistants = [
    path("mcp", McpView.as_view(), name="mcp"),
    # Where the protocol asks for it.
    path(".well-known/oauth-protected-resource/mcp", discovery.metadata, name="mcp-metadata"),
]

urlpatterns = [
    path("", include("explore.urls")),
    path("", include("ingestion.urls")),
    path("", include("processing.urls")),
    path("", include("accounts.urls")),
    path("", include("operations.urls")),
    path("admin/", admin.site.urls),
    # In a namespace, like versions of the API: its errors are problem details.
    path("", include((assistants, "assistants"))),
    # The API; and where it answered before it had versions, also at the root.
    path("api/v1/", include((api_urls.v1, "v1"))),
    path("", include(api_urls.root)),
    path("api/", include(api_urls.unversioned)),
]

handler400 = "web.errors.bad_request"
handler404 = "web.errors.not_found"
handler500 = "web.errors.server_error"
handler429 = "accounts.sign_in.limits.too_many_requests"
