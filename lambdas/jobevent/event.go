// Package jobevent reads what AWS Batch says of the jobs that slots run in, and knows which
// lives of trainers have ended by that.
//
// The events are described under "Job state change events" in the AWS Batch user guide; their
// detail resembles JobDetail of the API reference.
package jobevent

import (
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// StudyVariable is the variable of a job's environment that names its study.
const StudyVariable = "SUPERMAX_STUDY"

const (
	source     = "aws.batch"
	detailType = "Batch Job State Change"
	// maxAttempts is what Batch allows a job.
	maxAttempts = 10
)

// An Event is a "Batch Job State Change". Fields that nothing here needs are left out, and
// whatever else AWS may add is skipped.
type Event struct {
	Source     string `json:"source"`
	DetailType string `json:"detail-type"`
	Detail     Job    `json:"detail"`
}

// A Job is a job at the time of an event: one of its own, an array, or an array's child,
// whose ID has ":index" behind it. An array has no attempts; its children have events of
// their own.
type Job struct {
	ID           string    `json:"jobId"`
	Status       string    `json:"status"`
	StatusReason string    `json:"statusReason"`
	Attempts     []Attempt `json:"attempts"` // those that ended and, on some events, the one that runs
	Container    struct {
		Environment []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"environment"`
	} `json:"container"`
}

// An Attempt is one run of a job's container.
type Attempt struct {
	StoppedAt    int64  `json:"stoppedAt"` // milliseconds since 1970; 0: it runs
	StatusReason string `json:"statusReason"`
	Container    struct {
		ExitCode *int `json:"exitCode"` // nil: it did not exit by itself, or never ran
	} `json:"container"`
}

var jobID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}(:[0-9]{1,5})?$`)

// Parse reads an event. The error is one sentence that says what is not as it should be.
func Parse(data []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("read event: %w", err)
	}
	if e.Source != source || e.DetailType != detailType {
		return e, fmt.Errorf("read event: it is %.80q from %.80q; allowed: %q from %q", e.DetailType, e.Source, detailType, source)
	}
	if !jobID.MatchString(e.Detail.ID) {
		return e, fmt.Errorf("read event: detail.jobId: %.80q is no job's", e.Detail.ID)
	}
	if n := len(e.Detail.Attempts); n > maxAttempts {
		return e, fmt.Errorf("read event: detail.attempts: a job has at most %d, not %d", maxAttempts, n)
	}
	return e, nil
}

// Study returns the study that the job works for; false for a job of something else.
func (j *Job) Study() (string, bool) {
	for _, v := range j.Container.Environment {
		if v.Name == StudyVariable {
			return v.Value, true
		}
	}
	return "", false
}

// An End says that a slot is gone, and why.
type End struct {
	Slot  string
	Cause protocol.FailureKind // a crash or an interruption
}

// Ended returns the slots whose attempts have ended. An event repeats the ends that earlier
// ones told of, so that none is lost with an event.
func (j *Job) Ended() []End {
	var ends []End
	for i, a := range j.Attempts {
		last := i == len(j.Attempts)-1
		if last && a.StoppedAt == 0 && !j.idle() {
			continue
		}
		reason := a.StatusReason
		if last && reason == "" {
			reason = j.StatusReason
		}
		ends = append(ends, End{Slot: protocol.BatchSlot(j.ID, i+1), Cause: cause(reason, a.Container.ExitCode)})
	}
	return ends
}

// idle reports whether no attempt runs: the job has ended or is back in the queue.
func (j *Job) idle() bool {
	switch j.Status {
	case "SUCCEEDED", "FAILED", "RUNNABLE":
		return true
	}
	return false
}
