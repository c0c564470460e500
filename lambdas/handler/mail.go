package handler

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// posted is a command's request as it lies in a mailbox.
type posted struct {
	Command string          `json:"command"`
	Request json.RawMessage `json:"request"`
}

// answered is what became of it: a reply, or a refusal.
type answered struct {
	Reply   json.RawMessage `json:"reply,omitempty"`
	Refusal *refusal        `json:"refusal,omitempty"`
}

// refusal is a [study.Error].
type refusal struct {
	Code    protocol.ErrorCode `json:"code"`
	Message string             `json:"message"`
	Cause   string             `json:"cause,omitempty"` // of causes
}

// causes are what callers tell refusals apart by.
var causes = map[string]error{
	"newer_schema": study.ErrNewerSchema,
	"not_done":     study.ErrNotDone,
	"no_result":    study.ErrNoResult,
	"late":         study.ErrLate,
}

// writeAnswer returns a decision's answer. Only a refusal is one among the errors: any
// other is the trouble of the process that met it.
func writeAnswer(reply []byte, err error) ([]byte, error) {
	a := answered{Reply: reply}
	if err != nil {
		var refused *study.Error
		if !errors.As(err, &refused) {
			return nil, err
		}
		a.Refusal = &refusal{Code: refused.Code, Message: err.Error()}
		for name, cause := range causes {
			if errors.Is(err, cause) {
				a.Refusal.Cause = name
			}
		}
	}
	return json.Marshal(a)
}

func readAnswer[Reply any](data []byte) (Reply, error) {
	var reply Reply
	var a answered
	if err := json.Unmarshal(data, &a); err != nil {
		return reply, fmt.Errorf("read answer: %w", err)
	}
	if a.Refusal != nil {
		return reply, &study.Error{Code: a.Refusal.Code, Message: a.Refusal.Message, Cause: causes[a.Refusal.Cause]}
	}
	if err := json.Unmarshal(a.Reply, &reply); err != nil {
		return reply, fmt.Errorf("read answer: %w", err)
	}
	return reply, nil
}

// keepAnswers is how many events back a process remembers which requests were answered.
const keepAnswers = 1000

// mail is what a process knows of the requests in a study's mailbox. A request is carried
// out only by who knows that it was not before: it was not up to its Base, and since.
type mail struct {
	from int64            // every answer after this event is known
	at   map[string]int64 // the answered requests, each with an event at or behind its answer
}

// learn takes note of the answers that a load brought.
func (m *mail) learn(r store.Records) {
	if m.at == nil {
		m.at = make(map[string]int64)
	}
	if r.SnapshotSeq > 0 && r.AnswersFrom >= r.SnapshotSeq { // what was answered before is gone
		m.from = r.AnswersFrom
	}
	for _, a := range r.Answers {
		m.at[a.ID] = r.Seq
	}
	if len(m.at) <= 2*keepAnswers {
		return
	}
	m.from = max(m.from, r.Seq-keepAnswers)
	for id, at := range m.at {
		if at <= m.from {
			delete(m.at, id)
		}
	}
}

// open returns the requests that wait for a decision, the oldest first, without the one of
// an ID.
func (m *mail) open(requests []store.Request, without string) []store.Request {
	var open []store.Request
	for _, r := range requests {
		if _, done := m.at[r.ID]; !done && r.Base >= m.from && r.ID != without {
			open = append(open, r)
		}
	}
	slices.SortFunc(open, func(a, b store.Request) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.ID, b.ID))
	})
	return open
}

// leftBehind returns the answered requests that nobody removed since long ago.
func (m *mail) leftBehind(requests []store.Request, seq int64) []string {
	var ids []string
	for _, r := range requests {
		if at, done := m.at[r.ID]; done && at < seq-keepAnswers/10 {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// answerTo returns the answer to a request, if the records hold it.
func answerTo(id string, r store.Records) ([]byte, bool) {
	for _, a := range r.Answers {
		if a.ID == id {
			return a.Body, true
		}
	}
	return nil, false
}
