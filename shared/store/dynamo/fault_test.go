package dynamo

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/supermax-hpo/supermax/shared/store"
)

var errDown = errors.New("connection reset")

func list(from, to int) [][]byte {
	var events [][]byte
	for i := from; i <= to; i++ {
		events = append(events, fmt.Appendf(nil, "event %d", i))
	}
	return events
}

func mustAppend(t *testing.T, l *Log, after, to int) {
	t.Helper()
	if err := l.Append(t.Context(), "s", int64(after), list(after+1, to)); err != nil {
		t.Fatal(err)
	}
}

func wantRecords(t *testing.T, l *Log, have int64, want string) {
	t.Helper()
	r, err := l.Load(t.Context(), "s", have)
	if err != nil {
		t.Fatalf("Load(%d): %v", have, err)
	}
	got := fmt.Sprintf("%s@%d +%d =%d", r.Snapshot, r.SnapshotSeq, len(r.Events), r.Seq)
	if got != want {
		t.Fatalf("Load(%d) = %s, want %s", have, got, want)
	}
}

// lose loses the first answer of an operation.
func lose(operation string) func(string, any) error {
	var lost atomic.Bool
	return func(op string, _ any) error {
		if op == operation && !lost.Swap(true) {
			return errDown
		}
		return nil
	}
}

// An append whose answer was lost did happen: the SDK's second try finds its own nonce, and
// a caller that looks finds the event; who repeats it blindly collides.
func TestLostAnswers(t *testing.T) {
	f := newFake(t)
	l := f.open()
	mustAppend(t, l, 0, 1)
	made, err := l.eventItem("s", 2, list(2, 2), nil)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := l.viewOf("s", 1)
	made[attrID] = text(v.id)
	for range 2 { // as the SDK does: the same request again
		if err := l.putEvents(t.Context(), made); err != nil {
			t.Fatalf("the same write again: %v", err)
		}
	}
	wantRecords(t, l, 0, "@0 +2 =2")
	f.after = lose("PutItem")
	if err := l.Append(t.Context(), "s", 2, list(3, 3)); !errors.Is(err, errDown) {
		t.Fatalf("Append = %v", err)
	}
	if err := l.Append(t.Context(), "s", 2, list(3, 3)); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("Append again = %v", err)
	}
	wantRecords(t, l, 2, "@0 +1 =3")

	// A snapshot whose head was written, but nobody heard of it.
	f.after = lose("UpdateItem")
	if err := l.Compact(t.Context(), "s", 3, []byte("three")); !errors.Is(err, errDown) {
		t.Fatalf("Compact = %v", err)
	}
	wantRecords(t, f.open(), 0, "three@3 +0 =3")
}

// repeating does what the SDK does when an answer is lost: it sends the request again.
type repeating struct{ *fakeTable }

func (r repeating) transact(in *dynamodb.TransactWriteItemsInput) {
	if _, err := r.fakeTable.TransactWriteItems(r.t.Context(), in); err != nil {
		r.t.Errorf("the first try: %v", err)
	}
}

func TestCreationAnswersLost(t *testing.T) {
	f := newFake(t)
	l := f.open()
	f.before = func(op string, in any) error {
		if op == "TransactWriteItems" {
			f.before = nil
			repeating{f}.transact(in.(*dynamodb.TransactWriteItemsInput))
		}
		return nil
	}
	mustAppend(t, l, 0, 2)
	mustAppend(t, l, 2, 3)
	wantRecords(t, f.open(), 0, "@0 +3 =3")
}

// The update of the head that turned to a snapshot, sent twice, is ours the second time.
func TestCompactionAnswerLost(t *testing.T) {
	f := newFake(t)
	l := f.open()
	mustAppend(t, l, 0, 2)
	f.before = func(op string, in any) error {
		if op == "UpdateItem" {
			f.before = nil
			_, err := f.UpdateItem(t.Context(), in.(*dynamodb.UpdateItemInput))
			return err
		}
		return nil
	}
	if err := l.Compact(t.Context(), "s", 2, []byte("two")); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, f.open(), 0, "two@2 +0 =2")
}

// A creation that met another transaction tries again, not for ever.
func TestTransactionsInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		busy := 3
		f.before = func(op string, _ any) error {
			if op != "TransactWriteItems" || busy == 0 {
				return nil
			}
			busy--
			return &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{
				{Code: aws.String("TransactionConflict")}, {Code: aws.String("None")}, {Code: aws.String("None")}}}
		}
		mustAppend(t, f.open(), 0, 1)
		if f.calls["TransactWriteItems"] != 4 {
			t.Errorf("%d tries, want 4", f.calls["TransactWriteItems"])
		}
		busy = -1
		var cancelled *types.TransactionCanceledException
		if err := f.open().Append(t.Context(), "t", 0, list(1, 1)); !errors.As(err, &cancelled) || errors.Is(err, store.ErrConflict) {
			t.Errorf("Append = %v", err)
		}
	})
}

// What a batch leaves undone is done again, not for ever.
func TestUnprocessedItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		l := f.open()
		mustAppend(t, l, 0, 1)
		for i := range 60 {
			if err := l.Post(t.Context(), "s", store.Request{ID: fmt.Sprint("R", i), Base: 1}); err != nil {
				t.Fatal(err)
			}
		}
		var ids []string
		for i := range 60 {
			ids = append(ids, fmt.Sprint("R", i))
		}
		n := 0
		f.undone = func(types.WriteRequest) bool { n++; return n%3 > 0 }
		if err := l.Remove(t.Context(), "s", ids); err != nil {
			t.Fatal(err)
		}
		if left := f.count("s", requestPrefix, nil); left > 0 || f.calls["BatchWriteItem"] <= 3 {
			t.Errorf("%d requests are left after %d batches", left, f.calls["BatchWriteItem"])
		}
		f.undone = func(types.WriteRequest) bool { return true }
		if err := l.Remove(t.Context(), "s", ids[:2]); err == nil || !strings.Contains(err.Error(), "left 2 writes of a batch undone 10 times") {
			t.Errorf("Remove = %v", err)
		}
	})
}

// Of two compactions that race the later one stays, whole, and the other leaves nothing.
func TestCompactionsRace(t *testing.T) {
	f := newFake(t)
	one, another := f.open(), f.open()
	mustAppend(t, one, 0, 2)
	mustAppend(t, one, 2, 5)
	wantRecords(t, another, 0, "@0 +5 =5")
	f.before = func(op string, _ any) error {
		if op != "UpdateItem" {
			return nil
		}
		f.before = nil
		return one.Compact(t.Context(), "s", 5, []byte("five"))
	}
	if err := another.Compact(t.Context(), "s", 2, []byte("two")); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, f.open(), 0, "five@5 +0 =5")
	if n := f.count("s", snapshotPrefix, nil); n != 1 {
		t.Errorf("%d chunks are there, want 1", n)
	}
	// What a compaction left that died before the head the next one takes away.
	f.before = func(op string, _ any) error {
		if op == "UpdateItem" {
			return errDown
		}
		return nil
	}
	mustAppend(t, one, 5, 6)
	if err := one.Compact(t.Context(), "s", 6, []byte("six")); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	f.before = nil
	mustAppend(t, one, 6, 7)
	if err := one.Compact(t.Context(), "s", 7, []byte("seven")); err != nil {
		t.Fatal(err)
	}
	if n := f.count("s", snapshotPrefix, nil); n != 1 {
		t.Errorf("%d chunks are there, want 1", n)
	}
}

// A reader whose snapshot is replaced between the head and the chunks reads again.
func TestSnapshotReplacedWhileRead(t *testing.T) {
	f := newFake(t)
	l := f.open()
	mustAppend(t, l, 0, 2)
	if err := l.Compact(t.Context(), "s", 2, []byte("two")); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, 2, 3)
	f.after = func(op string, _ any) error {
		if op == "GetItem" {
			f.after = nil
			return l.Compact(t.Context(), "s", 3, []byte("three"))
		}
		return nil
	}
	wantRecords(t, f.open(), 0, "three@3 +0 =3")
}

// Old events become tombstones in passing. They keep place and answers, expire, and leave
// alone what the snapshot has only a part of.
func TestClearing(t *testing.T) {
	f := newFake(t)
	l := f.open()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l.Now = func() time.Time { return now }
	mustAppend(t, l, 0, 1)
	for i := 1; i < 200; i += 2 {
		if err := l.Answer(t.Context(), "s", int64(i), list(i+1, i+2), []store.Answer{{ID: fmt.Sprint("A", i), Body: []byte("yes")}}); err != nil {
			t.Fatal(err)
		}
	}
	behind := f.open()
	wantRecords(t, behind, 0, "@0 +201 =201")
	if err := l.Compact(t.Context(), "s", 200, []byte("two hundred")); err != nil { // within an append
		t.Fatal(err)
	}
	dead := func(i item) bool { return i[attrData] == nil }
	if n := f.count("s", eventPrefix, dead); n > 0 {
		t.Fatalf("%d tombstones before anything was cleared", n)
	}
	mustAppend(t, l, 201, 250)
	if n := f.count("s", eventPrefix, dead); n != 100 { // the first append, and 99 of two events
		t.Errorf("%d tombstones, want 100", n)
	}
	expiring := func(i item) bool { return i.number(ExpiresAttribute) == now.Add(tombstoneDays*24*time.Hour).Unix() }
	if n := f.count("s", eventPrefix, expiring); n != 100 {
		t.Errorf("%d of them expire when they should", n)
	}
	wantRecords(t, behind, 201, "@0 +49 =250")
	wantRecords(t, f.open(), 0, "two hundred@200 +50 =250")
	// Who follows from long ago gets the answers all the same.
	l.saw("s", mustHead(t, l).id, 1)
	r, err := l.Load(t.Context(), "s", 1)
	if err != nil || len(r.Answers) != 100 || r.AnswersFrom != 1 || r.SnapshotSeq != 200 {
		t.Fatalf("Load = %d answers from %d, snapshot %d, %v", len(r.Answers), r.AnswersFrom, r.SnapshotSeq, err)
	}
	// The tombstones expire.
	f.mu.Lock()
	for sk, i := range f.rows[studyKey("s")] {
		if strings.HasPrefix(sk, eventPrefix) && dead(i) {
			delete(f.rows[studyKey("s")], sk)
		}
	}
	f.mu.Unlock()
	l.saw("s", mustHead(t, l).id, 1)
	r, err = l.Load(t.Context(), "s", 1)
	if err != nil || len(r.Answers) > 1 || r.AnswersFrom != 200 || r.SnapshotSeq != 200 {
		t.Fatalf("Load = %d answers from %d, snapshot %d, %v", len(r.Answers), r.AnswersFrom, r.SnapshotSeq, err)
	}
	// A writer that slept as long knows that it knows nothing.
	l.saw("s", mustHead(t, l).id, 1)
	now = now.Add(maxViewAge + time.Second)
	if err := l.Append(t.Context(), "s", 1, list(2, 2)); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Append where a tombstone was = %v", err)
	}
}

func mustHead(t *testing.T, l *Log) head {
	t.Helper()
	h, err := l.head(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Clearing goes on where it broke off, and an append is no less done for it.
func TestClearingFails(t *testing.T) {
	f := newFake(t)
	l := f.open()
	var logged bytes.Buffer
	l.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	mustAppend(t, l, 0, 1)
	for i := 1; i < 700; i++ {
		if i == 240 || i == 490 {
			if err := l.Compact(t.Context(), "s", int64(i), []byte("snapshot")); err != nil {
				t.Fatal(err)
			}
		}
		f.mu.Lock()
		f.before = nil
		if i == 249 {
			f.before = func(op string, _ any) error {
				if op == "BatchWriteItem" {
					return errDown
				}
				return nil
			}
		}
		f.mu.Unlock()
		mustAppend(t, l, i, i+1)
	}
	if !strings.Contains(logged.String(), "old events were not cleared away") || !strings.Contains(logged.String(), "connection reset") {
		t.Errorf("logged %q", logged.String())
	}
	dead := func(i item) bool { return i[attrData] == nil }
	if n := f.count("s", eventPrefix, dead); n != clearAtMost {
		t.Errorf("%d tombstones after the second clearing, want %d", n, clearAtMost)
	}
	mustAppend(t, l, 700, 751)
	if n := f.count("s", eventPrefix, dead); n != 490 {
		t.Errorf("%d tombstones after the third, want 490", n)
	}
	wantRecords(t, f.open(), 0, "snapshot@490 +261 =751")
}

// A study that was deleted and made anew under its name is another one: who followed the
// former one collides, and what is left of that is as good as not there.
func TestMadeAnew(t *testing.T) {
	f := newFake(t)
	l, follower := f.open(), f.open()
	mustAppend(t, l, 0, 1)
	mustAppend(t, l, 1, 2)
	mustAppend(t, l, 2, 3)
	if err := l.Post(t.Context(), "s", store.Request{ID: "A", Base: 3}); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, follower, 0, "@0 +3 =3")
	for _, sk := range []string{headKey, eventKey(1)} { // a deletion that broke off
		delete(f.rows[studyKey("s")], sk)
	}
	if _, err := follower.Load(t.Context(), "s", 3); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Load of a deleted study = %v", err)
	}
	other := f.open()
	mustAppend(t, other, 0, 1)
	wantRecords(t, f.open(), 0, "@0 +1 =1")
	follower.saw("s", "0-former", 3)
	if _, err := follower.Load(t.Context(), "s", 3); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("Load of another study = %v", err)
	}
	if r, err := follower.Load(t.Context(), "s", 0); err != nil || len(r.Requests) > 0 {
		t.Fatalf("Load = requests %v, %v", r.Requests, err)
	}
	mustAppend(t, other, 1, 3) // in the place of the former events
	wantRecords(t, follower, 0, "@0 +3 =3")

	// A follower that has to start from the snapshot sees it there.
	follower.saw("s", "0-former", 1)
	if err := other.Compact(t.Context(), "s", 3, []byte("three")); err != nil {
		t.Fatal(err)
	}
	if _, err := follower.Load(t.Context(), "s", 1); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("Load of another study = %v", err)
	}
}

// Delete leaves nothing of a study, and may be repeated.
func TestDelete(t *testing.T) {
	f := newFake(t)
	l := f.open()
	mustAppend(t, l, 0, 40)
	if err := l.Compact(t.Context(), "s", 40, []byte("forty")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Delete(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := l.Studies(t.Context()); err != nil || len(names) > 0 || f.count("s", "", nil) > 0 {
		t.Errorf("after Delete: studies %v, %d items, %v", names, f.count("s", "", nil), err)
	}
	f.before = func(string, any) error { return errDown }
	if err := l.Delete(t.Context(), "s"); !errors.Is(err, errDown) {
		t.Errorf("Delete = %v", err)
	}
}

// An item of a newer program is refused, wherever it lies.
func TestNewerSchema(t *testing.T) {
	for _, sk := range []string{headKey, eventKey(1), requestPrefix + "A"} {
		f := newFake(t)
		l := f.open()
		mustAppend(t, l, 0, 1)
		if err := l.Post(t.Context(), "s", store.Request{ID: "A", Base: 1}); err != nil {
			t.Fatal(err)
		}
		f.rows[studyKey("s")][sk][attrVersion] = number(schemaVersion + 1)
		if _, err := f.open().Load(t.Context(), "s", 0); !errors.Is(err, store.ErrNewerSchema) {
			t.Errorf("%s: Load = %v", sk, err)
		}
		if err := f.open().Append(t.Context(), "s", 1, list(2, 2)); !errors.Is(err, store.ErrNewerSchema) {
			t.Errorf("%s: Append = %v", sk, err)
		}
	}
}

// What is damaged is an error that names the place, never wrong events.
func TestDamage(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(rows map[string]item)
		want string
	}{
		"events":     {func(r map[string]item) { r[eventKey(2)][attrData] = blob([]byte{formatZstd, 1, 2}) }, "read event 2: its data is damaged"},
		"count":      {func(r map[string]item) { r[eventKey(1)][attrCount] = number(9) }, "read event 1: its data is damaged"},
		"no number":  {func(r map[string]item) { r[eventKey(2)][attrCount] = &types.AttributeValueMemberN{Value: "1e9"} }, "read event 2"},
		"answers":    {func(r map[string]item) { r[eventKey(2)][attrAnswers] = blob([]byte{formatPlain, 1, 'x'}) }, "read the answers after event 2"},
		"request":    {func(r map[string]item) { r[requestPrefix+"A"][attrData] = blob(nil) }, "read request A"},
		"snapshot":   {func(r map[string]item) { r[headKey][attrCount] = number(2) }, "did not fit together"},
		"chunk":      {func(r map[string]item) { first(r, snapshotPrefix)[attrData] = blob([]byte("x")) }, "read snapshot"},
		"lost event": {func(r map[string]item) { delete(r, eventKey(2)) }, "did not fit together"},
		"foreign":    {func(r map[string]item) { r["E#7"] = newItem(studyKey("s"), "E#7", "") }, "none of supermax's"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			l := f.open()
			mustAppend(t, l, 0, 1)
			if err := l.Compact(t.Context(), "s", 1, []byte("one")); err != nil {
				t.Fatal(err)
			}
			if name == "count" {
				f.rows[studyKey("s")][headKey][attrSeq], f.rows[studyKey("s")][headKey][attrFrom] = number(0), number(1)
			}
			mustAppend(t, l, 1, 2)
			mustAppend(t, l, 2, 3)
			if err := l.Post(t.Context(), "s", store.Request{ID: "A", Base: 3}); err != nil {
				t.Fatal(err)
			}
			c.do(f.rows[studyKey("s")])
			_, err := f.open().Load(t.Context(), "s", 0)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "load study s in table fake") {
				t.Errorf("Load = %v, want …%s…", err, c.want)
			}
		})
	}
}

func first(rows map[string]item, prefix string) item {
	for sk, i := range rows {
		if strings.HasPrefix(sk, prefix) {
			return i
		}
	}
	return nil
}

// What cannot fit into an item is refused whole.
func TestTooBig(t *testing.T) {
	f := newFake(t)
	l := f.open()
	mustAppend(t, l, 0, 1)
	noise := make([]byte, 500_000)
	state := uint32(1)
	for i := range noise {
		state = state*1664525 + 1013904223
		noise[i] = byte(state >> 24)
	}
	if err := l.Append(t.Context(), "s", 1, [][]byte{noise}); err == nil || !strings.Contains(err.Error(), "one append takes at most 400000") {
		t.Errorf("Append = %v", err)
	}
	if err := l.Answer(t.Context(), "s", 1, list(2, 2), []store.Answer{{ID: "A", Body: noise}}); err == nil || !strings.Contains(err.Error(), "at most 400000") {
		t.Errorf("Answer = %v", err)
	}
	if err := l.Post(t.Context(), "s", store.Request{ID: "A", Base: 1, Body: noise}); err == nil || !strings.Contains(err.Error(), "at most 400000") {
		t.Errorf("Post = %v", err)
	}
	wantRecords(t, f.open(), 0, "@0 +1 =1")
}

// Requests whose sender is long gone are carried out by nobody.
func TestRequestsExpire(t *testing.T) {
	f := newFake(t)
	l := f.open()
	mustAppend(t, l, 0, 1)
	now := time.Now()
	l.Now = func() time.Time { return now }
	if err := l.Post(t.Context(), "s", store.Request{ID: "A", Base: 1}); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]int{requestLife - time.Second: 1, requestLife + 2*time.Second: 0} {
		reader := f.open()
		reader.Now = func() time.Time { return now.Add(after) }
		if r, err := reader.Load(t.Context(), "s", 0); err != nil || len(r.Requests) != want {
			t.Errorf("after %v: %d requests, %v; want %d", after, len(r.Requests), err, want)
		}
	}
}

// Each call that fails makes the operation fail with the reason, the study and the table.
func TestFailures(t *testing.T) {
	ctx := t.Context()
	operations := map[string]func(*Log) error{
		"load study s":              func(l *Log) error { _, err := l.Load(ctx, "s", 0); return err },
		"append to study s":         func(l *Log) error { return l.Append(ctx, "s", 2, list(3, 3)) },
		"append to study new":       func(l *Log) error { return l.Append(ctx, "new", 0, list(1, 1)) },
		"compact study s":           func(l *Log) error { return l.Compact(ctx, "s", 2, []byte("two")) },
		"post a request to study s": func(l *Log) error { return l.Post(ctx, "s", store.Request{ID: "A", Base: 2}) },
		"remove requests of":        func(l *Log) error { return l.Remove(ctx, "s", []string{"A"}) },
		"list studies":              func(l *Log) error { _, err := l.Studies(ctx); return err },
	}
	for want, operation := range operations {
		f := newFake(t)
		mustAppend(t, f.open(), 0, 2)
		if err := f.open().Compact(ctx, "s", 1, []byte("one")); err != nil {
			t.Fatal(err)
		}
		good := 0
		for { // let it come one call further each time
			calls := 0
			f.before = func(string, any) error {
				if calls++; calls > good {
					return errDown
				}
				return nil
			}
			err := operation(f.open())
			if err == nil {
				break
			}
			if !errors.Is(err, errDown) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "table fake") {
				t.Errorf("%s, call %d failed: %v", want, good+1, err)
			}
			good++
		}
		if good == 0 {
			t.Errorf("%s called nothing", want)
		}
	}
}

// Consumed hears of every unit, of refused writes too.
func TestConsumed(t *testing.T) {
	f := newFake(t)
	l, another := f.open(), f.open()
	got := map[string]float64{}
	l.Consumed = func(operation string, units float64) { got[operation] += units }
	mustAppend(t, l, 0, 1)
	mustAppend(t, l, 1, 2)
	wantRecords(t, another, 0, "@0 +2 =2")
	if err := another.Append(t.Context(), "s", 2, list(3, 3)); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), "s", 2, list(3, 3)); !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
	wantRecords(t, l, 2, "@0 +1 =3")
	if err := l.Compact(t.Context(), "s", 3, []byte("three")); err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"TransactWriteItems": 6, "PutItem": 2 + 1, "Query": 4 + 4, "GetItem": 1, "UpdateItem": 3, "BatchWriteItem": 5}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("consumed %v, want %v", got, want)
	}
}
