package load

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"sync"
	"testing"

	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// ledger is every event that any process appended or loaded, by its number. It outlives
// the log's own, which become snapshots.
type ledger struct {
	mu      sync.Mutex
	seed    maphash.Seed
	events  map[int64]entry
	counts  map[fact]int
	forked  int // events that were seen in two forms
	appends int
}

type entry struct{ hash uint64 }

// fact is what may happen once.
type fact struct {
	kind        study.EventType
	trial, rung int
}

func newLedger() *ledger {
	return &ledger{seed: maphash.MakeSeed(), events: map[int64]entry{}, counts: map[fact]int{}}
}

func (l *ledger) saw(first int64, events [][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, data := range events {
		seq, hash := first+int64(i), maphash.Bytes(l.seed, data)
		if known, ok := l.events[seq]; ok {
			if known.hash != hash {
				l.forked++
			}
			continue
		}
		l.events[seq] = entry{hash}
		if len(data) == 0 {
			continue
		}
		var e study.Event
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		l.counts[fact{e.Type, e.Trial, e.Rung}]++
	}
	return nil
}

func (l *ledger) count(kind study.EventType, trial, rung int) int {
	return l.counts[fact{kind, trial, rung}]
}

// check says whether the ledger is whole: everybody saw the same events, and none is missing.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	if l.forked > 0 {
		t.Errorf("%d events were seen in two forms", l.forked)
	}
	for seq := int64(1); seq <= int64(len(l.events)); seq++ {
		if _, ok := l.events[seq]; !ok {
			t.Fatalf("nobody saw event %d of %d", seq, len(l.events))
		}
	}
}

// recorded is a log that writes into a ledger what goes through it.
type recorded struct {
	store.Mailbox
	to *ledger
}

func (r *recorded) Load(ctx context.Context, name string, have int64) (store.Records, error) {
	got, err := r.Mailbox.Load(ctx, name, have)
	if err == nil {
		err = r.to.saw(got.Seq-int64(len(got.Events))+1, got.Events)
	}
	return got, err
}

func (r *recorded) Append(ctx context.Context, name string, after int64, events [][]byte) error {
	return r.appended(r.Mailbox.Append(ctx, name, after, events), after, events)
}

func (r *recorded) Answer(ctx context.Context, name string, after int64, events [][]byte, answers []store.Answer) error {
	return r.appended(r.Mailbox.Answer(ctx, name, after, events, answers), after, events)
}

func (r *recorded) appended(err error, after int64, events [][]byte) error {
	if err != nil {
		return err
	}
	r.to.mu.Lock()
	r.to.appends++
	r.to.mu.Unlock()
	return r.to.saw(after+1, events)
}
