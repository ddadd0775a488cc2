"""API requests: the parsing of bodies."""

import io
import json
from typing import IO, Any

from django.conf import settings
from rest_framework import exceptions, parsers

# A body is a few words; nobody needs more than Django takes of a form.
LONGEST_BODY = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def body(stream: IO[bytes]) -> io.BytesIO:
    """The whole body, if it is no longer than LONGEST_BODY."""
    content = stream.read(LONGEST_BODY + 1)
    if len(content) > LONGEST_BODY:
        raise exceptions.ParseError("The request is too large.")
    return io.BytesIO(content)


class JSONParser(parsers.JSONParser):
    """JSON of a bounded length and depth, in characters that every database can hold."""

    def parse(self, stream: IO[Any], *args: Any, **kwargs: Any) -> Any:
        try:
            parsed = super().parse(body(stream), *args, **kwargs)
            json.dumps(parsed, ensure_ascii=False).encode()
        except RecursionError:
            raise exceptions.ParseError("JSON parse error - nested too deeply.") from None
        except UnicodeEncodeError:
            raise exceptions.ParseError("JSON parse error - unpaired surrogate.") from None
        return parsed


class FormParser(parsers.FormParser):
    """A form of a bounded length."""

    def parse(self, stream: IO[Any], *args: Any, **kwargs: Any) -> Any:
        return super().parse(body(stream), *args, **kwargs)
