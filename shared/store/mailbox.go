package store

import "context"

// A Mailbox is a [Log] in which a caller that lost the race for an append leaves its
// request, so that whoever appends next decides it as well. One append then serves many
// callers, instead of making all but one of them start again.
//
// Requests are no part of the log: they have no order of their own, and one that nobody
// took away is forgotten after its time. An answer stands in the log, in the same append as
// the events that it answers with: it is there if and only if they are. Whoever knows all
// answers after a request's Base therefore knows whether it was carried out.
type Mailbox interface {
	Log
	// Post leaves a request. Posting one again under its ID replaces it.
	Post(ctx context.Context, study string, r Request) error
	// Answer is [Log.Append] for a study that exists, with answers to requests.
	Answer(ctx context.Context, study string, after int64, events [][]byte, answers []Answer) error
	// Remove takes requests out of the mailbox; those that are gone do not matter.
	Remove(ctx context.Context, study string, ids []string) error
}

// A Request waits in a [Mailbox].
type Request struct {
	ID    string // 1 to 64 letters and digits, never used again
	First int64  // the log's last event when it was posted first: the lower, the older
	Base  int64  // a sequence number up to which it was certainly not answered
	Body  []byte // what is asked, as the callers of the log agreed
}

// An Answer says what became of a [Request].
type Answer struct {
	ID   string
	Body []byte
}
