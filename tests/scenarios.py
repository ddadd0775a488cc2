"""Two files for a source, and what the ledger of the second one must say after the first."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Scenario:
    """The first file makes records known; the second one meets them."""

    source: str
    first: Path
    second: Path
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    # The lines of the second file that can be no record.
    rejected: list[int] = field(default_factory=list)

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + len(self.rejected)

    @property
    def ledger(self) -> tuple[int, int, int, int, int]:
        return self.read, self.created, self.updated, self.unchanged, len(self.rejected)


# The key, for what is to be a record; and the bytes of the row.
Line = tuple[str | None, bytes]


def keyed(folder: Path, rows: int) -> Scenario:
    """Rows with a key: new ones, changed ones, unchanged ones, repeated ones, and unfit ones."""
    header = b"id,timestamp,value,category,note\n"
    known = rows * 2 // 3
    first = dict(_sound(n, "as before") for n in range(known) if n % 3 < 2)
    made = Scenario("keyed", folder / "keyed-first.csv", folder / "keyed.csv")
    made.first.write_bytes(header + b"".join(first.values()))
    held = dict(first)

    def lines() -> Iterator[Line]:
        for n in range(rows):
            match n % 1000:
                case 7 | 407:
                    yield None, b"K%07d,too short\n" % n
                case 11:
                    yield None, b",2026-01-01T00:00:00,1.5,C1,no key\n"
                case 13:
                    yield None, b"K%07d,2026-01-01T00:00:00,1.5,C1,a byte: \xff\n" % n
                case 42:
                    yield _sound(n, "before a blank line")
                    yield "", b"\n"
                case 501:
                    yield f"K{n:07}", b"K%07d,some day,1.5,C1,no time\n" % n
                # Behind the known keys, too, where a batch meets none of them.
                case 500 | 999:
                    yield _sound(n - 1, "once more")
                case _ if n < known and n % 3 == 0:
                    yield _sound(n, "as before")
                case _:
                    yield _sound(n, "in two\nlines" if n % 700 == 5 else "by now")

    for key in _write(made, header, lines()):
        content = key[1]
        before = held.get(key[0])
        held[key[0]] = content
        if before is None:
            made.created += 1
        elif before == content:
            made.unchanged += 1
        else:
            made.updated += 1
    return made


def keyless(folder: Path, rows: int) -> Scenario:
    """Rows without a key, many of them alike: the second file is the first one, grown."""
    header = b"timestamp,value,category\n"
    made = Scenario("keyless", folder / "keyless-first.csv", folder / "keyless.csv")

    def lines() -> Iterator[Line]:
        for n in range(rows):
            if n % 500 == 77:
                yield None, b"2026-01-01T00:00:00,too short\n"
            else:
                alike = n * 7919 % (rows // 3)
                day, category = alike % 28 + 1, f"Caf\u00e9 {alike % 9}"
                yield "made", f"2026-02-{day:02}T10:00:00,{alike}.25,{category}\n".encode()

    begun = [line for _, line in lines()][: rows // 2]
    made.first.write_bytes(header + b"".join(begun))
    known = Counter(begun)
    for _, content in _write(made, header, lines()):
        if known[content]:
            known[content] -= 1
            made.unchanged += 1
        else:
            made.created += 1
    return made


def _sound(n: int, note: str) -> tuple[str, bytes]:
    key = f"K{n:07}"
    time = f"2026-01-{n % 28 + 1:02}T{n % 24:02}:00:00"
    return key, f'{key},{time},{n}.5,C{n % 9},"Caf\u00e9 {n}, {note}"\n'.encode()


def _write(made: Scenario, header: bytes, lines: Iterator[Line]) -> Iterator[tuple[str, bytes]]:
    """Write the second file; gives what are to be records, and keeps the lines of the others."""
    number = 2
    with made.second.open("wb") as file:
        file.write(header)
        for key, line in lines:
            file.write(line)
            if key is None:
                made.rejected.append(number)
            elif key:
                yield key, line
            number += line.count(b"\n")
