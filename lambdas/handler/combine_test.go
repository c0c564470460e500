package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/store/storetest"
	"github.com/supermax-hpo/supermax/shared/study"
)

// boxed is a mailbox that reports to a recorder and is as far away as a database of the
// network, so that others get between a load and an append.
type boxed struct {
	*storetest.Memory
	to    *recorder
	delay time.Duration

	answer func() error // in place of Answer, when it returns an error
}

func (b *boxed) Load(ctx context.Context, name string, have int64) (store.Records, error) {
	time.Sleep(b.delay)
	return b.Memory.Load(ctx, name, have)
}

func (b *boxed) Append(ctx context.Context, name string, after int64, events [][]byte) error {
	return (&recorded{Log: b.Memory, to: b.to}).Append(ctx, name, after, events)
}

func (b *boxed) Answer(ctx context.Context, name string, after int64, events [][]byte, answers []store.Answer) error {
	if b.answer != nil {
		if err := b.answer(); err != nil {
			return err
		}
	}
	return (&recorded{Log: answering{b.Memory, answers}, to: b.to}).Append(ctx, name, after, events)
}

// answering is a log whose appends carry answers.
type answering struct {
	*storetest.Memory
	answers []store.Answer
}

func (a answering) Append(ctx context.Context, name string, after int64, events [][]byte) error {
	return a.Answer(ctx, name, after, events, a.answers)
}

// newBoxed returns a study whose stage A is open, in a mailbox, and a maker of processes.
func newBoxed(t *testing.T) (*world, func() *Service) {
	t.Helper()
	w := newWorld(t)
	memory := new(storetest.Memory)
	process := func() *Service {
		return &Service{Log: &boxed{Memory: memory, to: w.log, delay: time.Millisecond}, Objects: w.bucket, Clock: w.now}
	}
	w.Service = process()
	w.create()
	if _, err := w.Plan(t.Context(), w.request(protocol.StageA)); err != nil {
		t.Fatal(err)
	}
	return w, process
}

func ask(slot string, token int64) protocol.AskRequest {
	return protocol.AskRequest{SchemaVersion: 1, Study: "small", Stage: protocol.StageA, Slot: slot, Token: token}
}

// However many processes ask at the same moment, each loses as many appends as the bound in
// the comment of do says, and no more.
func TestCombiningIsBounded(t *testing.T) {
	for _, processes := range []int{10, 90, 180} {
		t.Run(fmt.Sprint(processes), func(t *testing.T) {
			if processes > 100 && testing.Short() {
				t.Skip("takes long under the race detector")
			}
			w, process := newBoxed(t)
			bound := 2 + (processes+maxOthers-1)/maxOthers
			var mu sync.Mutex
			lost := map[int]int{}
			trials := map[[2]int]string{}
			start := make(chan struct{})
			var asking sync.WaitGroup
			for i := range processes {
				s := process()
				s.Observe = func(_ context.Context, o Observation) {
					mu.Lock()
					defer mu.Unlock()
					lost[o.Lost]++
				}
				if _, err := s.State(t.Context(), "small"); err != nil {
					t.Fatal(err)
				}
				asking.Go(func() {
					<-start
					slot := fmt.Sprint("slot-", i)
					for token := range int64(3) {
						reply, err := s.Ask(t.Context(), ask(slot, token+1))
						if err != nil {
							t.Errorf("%s: %v", slot, err)
							return
						}
						if reply.Kind != protocol.AskWork {
							continue
						}
						mu.Lock()
						key := [2]int{reply.Work.Trial, reply.Work.Attempt}
						if other, taken := trials[key]; taken {
							t.Errorf("%s and %s both train trial %d, attempt %d", slot, other, key[0], key[1])
						}
						trials[key] = slot
						mu.Unlock()
						_, err = s.Tell(t.Context(), protocol.TellRequest{SchemaVersion: 1, Study: "small", Trial: reply.Work.Trial,
							Attempt: reply.Work.Attempt, Outcome: protocol.Outcome{Failed: &protocol.Failure{Kind: protocol.FailedInterrupted}}})
						if err != nil {
							t.Errorf("%s: %v", slot, err)
						}
					}
				})
			}
			close(start)
			asking.Wait()
			t.Logf("calls by appends lost: %v; at most %d are allowed", lost, bound)
			for n := range lost {
				if n > bound {
					t.Errorf("%d calls lost %d appends; the bound is %d", lost[n], n, bound)
				}
			}
			if len(lost) == 1 {
				t.Error("no call lost a race: the test shows nothing")
			}
			w.log.replayed(t)
		})
	}
}

// Whoever wins answers those who lost: a process finds its request carried out by another.
func TestWinnerAnswersOthers(t *testing.T) {
	w, process := newBoxed(t)
	ctx := t.Context()
	box := w.Log.(*boxed)
	request := func(command string, req any) store.Request {
		t.Helper()
		data, err := json.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(posted{Command: command, Request: data})
		if err != nil {
			t.Fatal(err)
		}
		return store.Request{Base: 2, First: 2, Body: body}
	}
	posts := map[string]store.Request{
		"Late":    request("ask", ask("winner", 1)),
		"Refused": request("promote", protocol.StageRequest{SchemaVersion: 1, Study: "small", Stage: protocol.StageA}),
		"Asks":    request("ask", ask("loser", 1)),
		"Newer":   request("dance", protocol.StageRequest{SchemaVersion: 1}),
		"Fields":  request("ask", map[string]any{"schema_version": 1, "dance": true}),
		"Broken":  {Base: 2, Body: []byte("{")},
		"Before":  request("ask", ask("forgotten", 1)),
	}
	first := posts["Before"]
	first.Base = 1 // an event before what the next process can know of
	posts["Before"] = first
	if err := box.Compact(ctx, "small", 2, mustSnapshot(t, w.Service)); err != nil {
		t.Fatal(err)
	}
	for id, r := range posts {
		r.ID = id
		if err := box.Post(ctx, "small", r); err != nil {
			t.Fatal(err)
		}
	}
	s := process() // it starts from the snapshot
	reply, err := s.Ask(ctx, ask("winner", 2))
	if err != nil || reply.Kind != protocol.AskWork {
		t.Fatalf("Ask = %+v, %v", reply, err)
	}
	r, err := box.Memory.Load(ctx, "small", 2)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, q := range r.Requests {
		left = append(left, q.ID)
	}
	if want := []string{"Before", "Broken", "Fields", "Newer"}; !slices.Equal(left, want) {
		t.Errorf("the mailbox holds %v, want %v", left, want)
	}
	answers := map[string][]byte{}
	for _, a := range r.Answers {
		answers[a.ID] = a.Body
	}
	if got, err := readAnswer[protocol.AskReply](answers["Asks"]); err != nil || got.Kind != protocol.AskWork || got.Work.Trial == reply.Work.Trial {
		t.Errorf("the other ask got %+v, %v; the winner has trial %d", got, err, reply.Work.Trial)
	}
	_, err = readAnswer[protocol.PromoteReply](answers["Refused"])
	if wantCode(t, err, protocol.CodeConflict, "not done"); !errors.Is(err, study.ErrNotDone) {
		t.Errorf("the refusal %v lost its cause", err)
	}
	if got, err := readAnswer[protocol.AskReply](answers["Late"]); err != nil || got.Kind != protocol.AskWork {
		t.Errorf("the winner's former ask got %+v, %v", got, err)
	}
	if len(answers) != 4 { // the winner found a crowd, so it had posted its own request too
		t.Errorf("%d answers, want 4", len(answers))
	}
	// A later append carries out none of them again.
	before := len(w.log.events)
	if _, err := process().ReleaseSlot(ctx, protocol.ReleaseSlotRequest{SchemaVersion: 1, Study: "small", Slot: "x", Cause: protocol.FailedCrash}); err != nil {
		t.Fatal(err)
	}
	if n := len(w.log.events) - before; n != 1 {
		t.Errorf("the next append brought %d events, want 1", n)
	}
}

func mustSnapshot(t *testing.T, s *Service) []byte {
	t.Helper()
	st, err := s.State(t.Context(), "small")
	if err != nil {
		t.Fatal(err)
	}
	data, err := st.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A request that lies in the mailbox and turns out to need no event is over only when the
// log says so: otherwise another process could still carry it out.
func TestPostedRequestEndsInTheLog(t *testing.T) {
	w, process := newBoxed(t)
	ctx := t.Context()
	s := process()
	box := s.Log.(*boxed)
	stolen := false
	s.Log = &thief{boxed: box, append: func() error {
		if stolen {
			return nil
		}
		stolen = true // another process gets between, with the same release
		if _, err := w.ReleaseSlot(ctx, release("gone")); err != nil {
			t.Fatal(err)
		}
		return store.ErrConflict
	}}
	if _, err := s.ReleaseSlot(ctx, release("gone")); err != nil {
		t.Fatal(err)
	}
	r, err := box.Memory.Load(ctx, "small", 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Events) != 4 || len(r.Events[3]) != 0 || len(r.Answers) != 1 || len(r.Requests) != 0 {
		t.Errorf("%d events, %d answers, %d requests; want 4, the last one empty, 1 and 0", len(r.Events), len(r.Answers), len(r.Requests))
	}
	if _, err := process().State(ctx, "small"); err != nil { // an empty event is nothing to load
		t.Error(err)
	}
}

func release(slot string) protocol.ReleaseSlotRequest {
	return protocol.ReleaseSlotRequest{SchemaVersion: 1, Study: "small", Slot: slot, Cause: protocol.FailedCrash}
}

// thief calls append before each append.
type thief struct {
	*boxed
	append func() error
}

func (s *thief) Append(ctx context.Context, name string, after int64, events [][]byte) error {
	if err := s.append(); err != nil {
		return err
	}
	return s.boxed.Append(ctx, name, after, events)
}

// Requests of which a process cannot know whether they were carried out stay where they
// are, and their sender posts them anew.
func TestMailKnowsWhatItKnows(t *testing.T) {
	var m mail
	m.learn(store.Records{Seq: 10, SnapshotSeq: 8, AnswersFrom: 8, Answers: []store.Answer{{ID: "A"}}})
	list := []store.Request{{ID: "A", First: 9, Base: 9}, {ID: "B", First: 9, Base: 9}, {ID: "C", First: 7, Base: 7},
		{ID: "D", First: 7, Base: 8}, {ID: "Mine", Base: 9}}
	ids := func(list []store.Request) (ids []string) {
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		return ids
	}
	if got := ids(m.open(list, "Mine")); !slices.Equal(got, []string{"D", "B"}) {
		t.Errorf("open %v, want D, which is older, and B", got)
	}
	m.learn(store.Records{Seq: 20, SnapshotSeq: 18, AnswersFrom: 10, Answers: []store.Answer{{ID: "B"}}})
	if got := ids(m.open(list, "Mine")); !slices.Equal(got, []string{"D"}) {
		t.Errorf("open %v, want D", got)
	}
	if got := m.leftBehind(list, 20+keepAnswers); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("left behind %v, want A and B", got)
	}
	for i := range int64(3 * keepAnswers) {
		m.learn(store.Records{Seq: 21 + i, AnswersFrom: 20 + i, Answers: []store.Answer{{ID: fmt.Sprint(i)}}})
	}
	if len(m.at) > 2*keepAnswers || m.from < keepAnswers/2 {
		t.Errorf("%d answers are remembered, from event %d on", len(m.at), m.from)
	}
	if got := m.open(list, ""); got != nil {
		t.Errorf("open %v: their answers may be forgotten", got)
	}
}

// A process that slept until its request's answer had expired says so.
func TestUnknownFate(t *testing.T) {
	_, process := newBoxed(t)
	s := process()
	slept := false
	s.Log = &sleeper{boxed: s.Log.(*boxed), slept: &slept}
	_, err := s.Ask(t.Context(), ask("a", 1))
	if !errors.Is(err, errUnknownFate) || Code(err) != protocol.CodeUnavailable {
		t.Errorf("Ask = %v", err)
	}
}

type sleeper struct {
	*boxed
	slept *bool
}

func (s *sleeper) Load(ctx context.Context, name string, have int64) (store.Records, error) {
	r, err := s.boxed.Load(ctx, name, have)
	if *s.slept {
		r.AnswersFrom = r.Seq + 1
	}
	return r, err
}

func (s *sleeper) Append(context.Context, string, int64, [][]byte) error {
	*s.slept = true
	return store.ErrConflict
}

// A refusal comes through the log as it was.
func TestAnswersRoundTrip(t *testing.T) {
	for name, cause := range causes {
		data, err := writeAnswer(nil, &study.Error{Code: protocol.CodeConflict, Message: "no: " + name, Cause: cause})
		if err != nil {
			t.Fatal(err)
		}
		_, err = readAnswer[protocol.AskReply](data)
		if !errors.Is(err, cause) || err.Error() != "no: "+name || Code(err) != protocol.CodeConflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	want := protocol.TellReply{SchemaVersion: 1, Kind: protocol.TellContinue, Rung: 2, ToEpoch: 9}
	reply, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	data, err := writeAnswer(reply, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAnswer[protocol.TellReply](data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("reply %+v, %v", got, err)
	}
	if _, err := writeAnswer(nil, errors.New("out of memory")); err == nil {
		t.Error("trouble of the decider became an answer")
	}
	for _, bad := range []string{"{", `{"reply": 7}`} {
		if _, err := readAnswer[protocol.TellReply]([]byte(bad)); err == nil || !strings.Contains(err.Error(), "read answer") {
			t.Errorf("answer %s: %v", bad, err)
		}
	}
}

// Each command can be decided by its name, and by no other table than that of the calls.
func TestDeciders(t *testing.T) {
	want := []string{"ask", "check", "finish", "heartbeat", "plan", "promote", "release-slot", "resume", "stop", "tell"}
	var got []string
	for name := range deciders {
		got = append(got, name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("commands %v, want %v", got, want)
	}
}

// A post that fails, and removals that fail.
func TestMailboxFailures(t *testing.T) {
	_, process := newBoxed(t)
	broken := errors.New("no connection")
	s := process()
	s.Log = &thief{boxed: s.Log.(*boxed), append: func() error { return store.ErrConflict }}
	s.Log = &noPost{thief: s.Log.(*thief), err: broken}
	if _, err := s.Ask(t.Context(), ask("a", 1)); !errors.Is(err, broken) {
		t.Errorf("Ask = %v", err)
	}
	s = process()
	box := s.Log.(*boxed)
	box.answer = func() error { return broken }
	box.Memory = s.Log.(*boxed).Memory
	conflicts := 0
	s.Log = &thief{boxed: box, append: func() error { conflicts++; return store.ErrConflict }}
	if _, err := s.Ask(t.Context(), ask("b", 1)); !errors.Is(err, broken) || conflicts != 1 {
		t.Errorf("Ask = %v after %d conflicts", err, conflicts)
	}
}

type noPost struct {
	*thief
	err error
}

func (n *noPost) Post(context.Context, string, store.Request) error { return n.err }

// The lengths at which snapshots are written, and what they add up to.
func TestCompactionDue(t *testing.T) {
	var at []int64
	for seq := int64(0); seq < 700; seq++ {
		if compactionDue(seq, seq+1) {
			at = append(at, seq+1)
		}
	}
	if want := []int64{64, 128, 192, 256, 320, 400, 500, 625}; !slices.Equal(at, want) {
		t.Errorf("snapshots at %v, want %v", at, want)
	}
	if !compactionDue(60, 90) || compactionDue(64, 127) || !compactionDue(10, 5000) || compactionDue(500, 500) {
		t.Error("appends of several events do not cross the lengths as those of one do")
	}
	var sum, last int64
	for seq := int64(0); seq < 200_000; seq++ {
		if compactionDue(seq, seq+1) {
			last, sum = seq+1, sum+seq+1
		}
	}
	if sum > 5*last {
		t.Errorf("snapshots of all sizes add up to %.2f times the last; at most 5", float64(sum)/float64(last))
	}
}
