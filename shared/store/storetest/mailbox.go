package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/supermax-hpo/supermax/shared/store"
)

// RunMailbox tests what a [store.Mailbox] does beyond a Log.
func RunMailbox(t *testing.T, open func(t *testing.T) (one, another store.Mailbox)) {
	for name, test := range map[string]func(*testing.T, store.Mailbox, store.Mailbox){
		"Requests":        testRequests,
		"Answers":         testAnswers,
		"AnswersOutlive":  testAnswersOutlive,
		"MailboxRefusals": testMailboxRefusals,
	} {
		t.Run(name, func(t *testing.T) {
			one, another := open(t)
			test(t, one, another)
		})
	}
}

func wantMail(t *testing.T, l store.Log, have int64, want store.Records) {
	t.Helper()
	got, err := l.Load(t.Context(), "s", have)
	if err != nil {
		t.Fatalf("Load(%d): %v", have, err)
	}
	slices.SortFunc(got.Requests, func(a, b store.Request) int { return strings.Compare(a.ID, b.ID) })
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("Load(%d): -want +got\n%s", have, d)
	}
}

// What is posted every process finds, until it is removed.
func testRequests(t *testing.T, one, another store.Mailbox) {
	ctx := t.Context()
	mustAppend(t, one, "s", 0, events(1, 2))
	mustAppend(t, one, "t", 0, events(1, 1))
	a := store.Request{ID: "A1", First: 1, Base: 2, Body: []byte(`{"a": "ä\n"}`)}
	b := store.Request{ID: strings.Repeat("b", 64), First: 2, Base: 2, Body: []byte(strings.Repeat("big ", 20<<10))}
	for _, r := range []store.Request{a, b} {
		if err := one.Post(ctx, "s", r); err != nil {
			t.Fatal(err)
		}
	}
	a.Base, a.Body = 7, []byte("replaced")
	if err := another.Post(ctx, "s", a); err != nil {
		t.Fatal(err)
	}
	wantMail(t, another, 0, store.Records{Seq: 2, Events: events(1, 2), Requests: []store.Request{a, b}})
	wantMail(t, one, 2, store.Records{Seq: 2, AnswersFrom: 2, Requests: []store.Request{a, b}})
	if err := another.Remove(ctx, "s", []string{b.ID, "gone"}); err != nil {
		t.Fatal(err)
	}
	wantMail(t, one, 2, store.Records{Seq: 2, AnswersFrom: 2, Requests: []store.Request{a}})
	if r, err := one.Load(ctx, "t", 0); err != nil || len(r.Requests) > 0 {
		t.Fatalf("another study has the requests %v, %v", r.Requests, err)
	}
}

// Answers are there if and only if their append is.
func testAnswers(t *testing.T, one, another store.Mailbox) {
	ctx := t.Context()
	mustAppend(t, one, "s", 0, events(1, 2))
	wantLoad(t, another, "s", 0, store.Records{Seq: 2, Events: events(1, 2)})
	list := []store.Answer{{ID: "A", Body: []byte("yes")}, {ID: "B", Body: []byte{0}}}
	if err := one.Answer(ctx, "s", 2, events(3, 4), list); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "Answer that comes late", another.Answer(ctx, "s", 2, events(3, 3), []store.Answer{{ID: "A", Body: []byte("no")}}), store.ErrConflict)
	wantMail(t, another, 2, store.Records{Seq: 4, Events: events(3, 4), AnswersFrom: 2, Answers: list})
	wantMail(t, another, 4, store.Records{Seq: 4, AnswersFrom: 4})
	wantMail(t, one, 0, store.Records{Seq: 4, Events: events(1, 4), Answers: list})
}

// Who follows the log gets every answer, whatever snapshots come between.
func testAnswersOutlive(t *testing.T, one, another store.Mailbox) {
	ctx := t.Context()
	mustAppend(t, one, "s", 0, events(1, 1))
	wantLoad(t, another, "s", 0, store.Records{Seq: 1, Events: events(1, 1)})
	const last = 40
	var list []store.Answer
	for i := int64(2); i <= last; i++ {
		a := store.Answer{ID: fmt.Sprint(i), Body: fmt.Append(nil, "answer ", i)}
		if err := one.Answer(ctx, "s", i-1, events(i, i), []store.Answer{a}); err != nil {
			t.Fatal(err)
		}
		if i == 20 || i == 30 {
			if err := one.Compact(ctx, "s", i, fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, a)
	}
	r, err := another.Load(ctx, "s", 1)
	if err != nil || r.AnswersFrom != 1 {
		t.Fatalf("Load: answers from %d, %v", r.AnswersFrom, err)
	}
	if d := cmp.Diff(list, r.Answers); d != "" {
		t.Fatalf("answers: -want +got\n%s", d)
	}
	r, err = another.Load(ctx, "s", 0)
	if err != nil || r.AnswersFrom != r.SnapshotSeq {
		t.Fatalf("Load anew: answers from %d, snapshot at %d, %v", r.AnswersFrom, r.SnapshotSeq, err)
	}
	if d := cmp.Diff(list[len(list)-int(last-r.SnapshotSeq):], r.Answers); d != "" {
		t.Fatalf("answers behind the snapshot: -want +got\n%s", d)
	}
}

func testMailboxRefusals(t *testing.T, one, _ store.Mailbox) {
	ctx := t.Context()
	a := []store.Answer{{ID: "A"}}
	wantErr(t, "Post to no study", one.Post(ctx, "s", store.Request{ID: "A", Base: 1}), store.ErrNotFound)
	wantErr(t, "Answer of no study", one.Answer(ctx, "s", 1, events(1, 1), a), store.ErrNotFound)
	if err := one.Answer(ctx, "s", 0, events(1, 1), a); err == nil {
		t.Fatal("Answer made a study")
	}
	mustAppend(t, one, "s", 0, events(1, 1))
	if err := one.Answer(ctx, "s", 1, nil, a); err == nil {
		t.Fatal("Answer without events succeeded")
	}
	for _, id := range []string{"", "a b", "a/b", "ä", strings.Repeat("a", 65)} {
		if err := one.Post(ctx, "s", store.Request{ID: id, Base: 1}); err == nil || !strings.Contains(err.Error(), "request ID") {
			t.Errorf("Post of request %q = %v", id, err)
		}
	}
	for call, err := range map[string]error{
		"Post":   one.Post(ctx, "../x", store.Request{ID: "A"}),
		"Answer": one.Answer(ctx, "../x", 1, events(1, 1), nil),
		"Remove": one.Remove(ctx, "../x", []string{"A"}),
	} {
		if err == nil || !strings.Contains(err.Error(), "study name") {
			t.Errorf("%s of study ../x = %v", call, err)
		}
	}
}
