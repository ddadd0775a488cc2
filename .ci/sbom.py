"""Writes the software bill of materials of what the application installs (CycloneDX, JSON)."""

import re
import sys
from pathlib import Path

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENTRY = re.compile(r"^\S.*?==.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def components(lock: str) -> list[Component]:
    """A component for each entry of a lock file, with the digests of its files."""
    return [_component(entry) for entry in ENTRY.findall(lock)]


def _component(entry: str) -> Component:
    requirement = Requirement(entry.partition("\\")[0])
    name = canonicalize_name(requirement.name)
    (version,) = [each.version for each in requirement.specifier]
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{name}/{version}/"),
        hashes=[
            HashType(alg=HashAlgorithm.SHA_256, content=digest)
            for digest in re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)
        ],
    )
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=f"{name}=={version}",
        purl=PackageURL("pypi", name=name, version=version),
        external_references=[files],
    )


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    bill = Bom(components=components(source.read_text()))
    target.write_text(JsonV1Dot6(bill).output_as_string(indent=2))
