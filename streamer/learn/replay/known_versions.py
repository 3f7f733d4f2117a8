"""The files that a log's decisions rest on, by the versions that the log names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamer.errors import ConfigError
from streamer.records.calibration import Calibration, RouterWeights
from streamer.records.log import BallotLog
from streamer.records.routing import Routing


@dataclass(frozen=True, slots=True)
class KnownVersions:
    """Calibrations and routings by their versions."""

    calibrations: Mapping[str, Calibration]
    routings: Mapping[str, Routing] = field(default_factory=dict)

    def calibration(self, version: str | None) -> Calibration | None:
        """That of this version; raises `ConfigError` where it is not among them."""
        if version is not None and version not in self.calibrations:
            raise ConfigError(
                f"the log was decided by calibration {version}, which is none of those given: name"
                " its file with --calibration"
            )
        return None if version is None else self.calibrations[version]

    def temperatures(self, log: BallotLog) -> Mapping[str, float]:
        """The workers' by name, as they were for this ballot. Raises `ConfigError` likewise."""
        segment = log.segment
        if segment is None or segment.number is None:
            calibration = self.calibration(log.calibration)
            return (
                {}
                if calibration is None
                else {n: m.temperature for n, m in calibration.models.items()}
            )
        if segment.version not in self.routings:
            raise ConfigError(
                f"the log was decided by routing {segment.version}, which is none of those given:"
                " name the segments' folder with --segments"
            )
        return self.routings[segment.version].tasks[log.task].ways[segment.name].temperatures

    def weights(self, log: BallotLog) -> RouterWeights | None:
        """Those of a learned rule before the judge, where the ballot was decided by one."""
        calibration = self.calibration(log.calibration)
        return None if calibration is None else calibration.router
