"""The Codecs resource: what outputs can be encoded with. It is the same for everybody."""

from operator import attrgetter
from typing import Annotated, Any, Literal

from msgspec import Meta

from countermark.api.job_resources import CodecAnswer, CodecsAnswer
from countermark.api.operation import Call, Operation
from countermark.api.parameters import Direction, Expansion, Paging, sorting_by
from countermark.api.presenting import page_answer, page_of
from countermark.api.representation import Presenter
from countermark.errors import CodecNotFoundError, InvalidRequestError
from countermark.media.codecs import CODECS, codec_by_id

_KEYS = frozenset({"id", "href", "name", "type", "description"})


class ManyCodecs(Paging, frozen=True, kw_only=True):
    """GET /codecs/."""

    sort: Annotated[str, sorting_by(_KEYS)] = "id"
    direction: Direction = "1"
    type: Annotated[
        tuple[Literal["video", "audio"], ...],
        Meta(min_length=1, description="Only codecs of these types."),
    ] = ()


async def list_codecs(call: Call[ManyCodecs]) -> CodecsAnswer:
    """List codecs."""
    page = page_of(call, _KEYS)
    types = call.query.type
    known = [codec for codec in CODECS if not types or codec.type in types]
    key = attrgetter("id" if page.sort == "href" else page.sort, "id")
    known.sort(key=key, reverse=page.direction < 0)
    presenter = Presenter(call.services.urls, show_null=call.query.show_null)
    shown = [presenter.codec(one) for one in known[page.start : page.start + page.limit]]
    return page_answer(CodecsAnswer, call, "codecs", shown, len(known))


async def show_codec(call: Call[Expansion]) -> CodecAnswer:
    """Show a codec."""
    codec = codec_by_id(call.resource_id)
    if codec is None:
        raise CodecNotFoundError
    return CodecAnswer(Presenter(call.services.urls, show_null=False).codec(codec))


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="GET",
        path="/v1/codecs/",
        handler=list_codecs,
        query=ManyCodecs,
        answer=CodecsAnswer,
        invalid=InvalidRequestError,
    ),
    Operation(
        method="GET",
        path="/v1/codecs/{id:str}",
        handler=show_codec,
        query=Expansion,
        answer=CodecAnswer,
        invalid=InvalidRequestError,
        missing=CodecNotFoundError,
    ),
)
