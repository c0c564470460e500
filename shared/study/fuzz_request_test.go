package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// requests are the commands by number, each on the JSON of its request. The study and, where
// none is given, the stage are put in, so that most requests get beyond them.
var requests = []func(s *State, now time.Time, data []byte) ([]Event, error){
	request(func(r *protocol.AskRequest) { r.Study = "s" }, (*State).Ask),
	request(func(r *protocol.TellRequest) { r.Study = "s" }, (*State).Tell),
	request(func(r *protocol.HeartbeatRequest) { r.Study = "s" }, (*State).Heartbeat),
	request(func(r *protocol.ReleaseSlotRequest) { r.Study = "s" }, (*State).ReleaseSlot),
	request(func(r *protocol.StageRequest) { r.Study = "s" }, (*State).Plan),
	request(func(r *protocol.StageRequest) { r.Study = "s" }, (*State).Check),
	request(func(r *protocol.StageRequest) { r.Study = "s" }, (*State).Promote),
	request(func(r *protocol.StudyRequest) { r.Study = "s" }, (*State).Finish),
	request(func(r *protocol.StopRequest) { r.Study = "s" }, (*State).Stop),
	request(func(r *protocol.ResumeRequest) { r.Study = "s" }, (*State).Resume),
}

var errNoRequest = errors.New("the bytes are no request")

func request[Req, Reply any](here func(*Req), decide func(*State, time.Time, Req) (Reply, []Event, error)) func(*State, time.Time, []byte) ([]Event, error) {
	return func(s *State, now time.Time, data []byte) ([]Event, error) {
		var req Req
		if err := json.Unmarshal(data, &req); err != nil {
			return nil, fmt.Errorf("%w: %w", errNoRequest, err)
		}
		here(&req)
		_, events, err := decide(s, now, req)
		return events, err
	}
}

// Whatever is asked of a study, in whatever order, is answered or refused in a typed way; what
// follows of it can be folded, and read from a snapshot again.
func FuzzRequests(f *testing.F) {
	f.Add([]byte{0, 1, 1}, `{"stage":"A","slot":"s9","token":1}`, `{"trial":1,"attempt":1,"outcome":{"epochs":[{"seed":1,"epoch":1,"f1_macro":0.5,"ece":0.1}],"cost_seconds":1}}`, `{"trial":1,"attempt":1,"outcome":{"failed":{"kind":"crash"}}}`)
	f.Add([]byte{2, 3, 5}, `{"trial":2}`, `{"slot":"s3","cause":"interrupted"}`, `{"stage":"A"}`)
	f.Add([]byte{6, 4, 7}, `{"stage":"A"}`, `{"stage":"B"}`, `{}`)
	f.Add([]byte{8, 9, 0}, `{"reason":"user"}`, `{"budget_dollars":0}`, `{"stage":"A","slot":"s4","token":2}`)
	f.Fuzz(func(t *testing.T, which []byte, first, second, third string) {
		s := midway(t)
		now := testStart
		for i, data := range []string{first, second, third} {
			if i >= len(which) {
				return
			}
			now = now.Add(time.Duration(i) * time.Minute)
			events, err := requests[int(which[i])%len(requests)](s, now, []byte(data))
			var refused *Error
			if err != nil && (len(events) > 0 || !errors.As(err, &refused) && !errors.Is(err, errNoRequest)) {
				t.Fatalf("%s: %d events and %v", data, len(events), err)
			}
			for _, e := range events {
				if err := s.Apply(e); err != nil {
					t.Fatalf("%s: %v", data, err)
				}
			}
		}
		data, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(data); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
	})
}
