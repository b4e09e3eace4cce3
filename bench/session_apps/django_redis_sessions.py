"""Django's cache sessions on django-redis; no other middleware."""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from bench.session_apps import store_url

settings.configure(
    SECRET_KEY=os.urandom(16).hex(),
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    INSTALLED_APPS=["django.contrib.sessions"],
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": store_url()}},
    USE_TZ=True,
)
django.setup()


def page(request: HttpRequest) -> HttpResponse:
    if request.path == "/login":
        request.session.cycle_key()
    if request.path != "/":
        request.session["text"] = request.META["QUERY_STRING"]
    body = request.session["text"].encode()
    return HttpResponse(body, headers={"Content-Length": str(len(body))})


urlpatterns = [path("", page), path("set", page), path("login", page)]
app = get_asgi_application()
