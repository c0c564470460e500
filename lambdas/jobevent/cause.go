package jobevent

import (
	"regexp"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

const (
	exitKilled     = 128 + 9  // SIGKILL: by Batch half a minute after SIGTERM, or for memory
	exitTerminated = 128 + 15 // SIGTERM
)

var (
	// hostLost is the reason when the machine went away: Spot took it, or it was replaced.
	hostLost = regexp.MustCompile(`^Host EC2`)
	// batchsOwn are the reasons that Batch and ECS give an attempt by themselves. Any other
	// is what a person or Step Functions gave for terminating the job.
	batchsOwn = regexp.MustCompile(`^(Essential container in task exited|Task failed to start|Job attempt duration exceeded timeout|` +
		`Cannot|Container|Docker|OutOfMemory|ResourceInitialization|Unhandled|Task stopped|$)`)
)

// cause says whether an end is counted against the trial that the slot held. A lost machine
// and a job that was terminated are nobody's fault. What has ended in any other way may
// have died of its trial, and so may an attempt that came to its time limit.
func cause(statusReason string, exitCode *int) protocol.FailureKind {
	if hostLost.MatchString(statusReason) {
		return protocol.FailedInterrupted
	}
	// A container that had ended by itself says so by its exit code, whatever was wanted of
	// it meanwhile.
	stopped := exitCode == nil || *exitCode == exitKilled || *exitCode == exitTerminated
	if stopped && !batchsOwn.MatchString(statusReason) {
		return protocol.FailedInterrupted
	}
	return protocol.FailedCrash
}
