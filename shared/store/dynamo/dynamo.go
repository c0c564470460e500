// Package dynamo keeps the events of studies in one DynamoDB table, as an AWS account
// does. One append is one conditional write, whatever else goes on; see [TableInput] for
// what lies where.
//
// What is certain, and why:
//
//   - An append happens once. Its item is written on the condition that its place is
//     free; it carries a random nonce, so that a write that was repeated because its
//     answer got lost is known as our own.
//   - A load shows what was appended before it. Every read that decides something is
//     consistent, and a load that a concurrent writer tore (a later item without an
//     earlier one, a snapshot that was replaced) reads again.
//   - A writer with an old view collides. Events that a snapshot took in leave a tombstone
//     in their place for [tombstoneDays]; a view older than [maxViewAge] is not written on.
//   - A study that was deleted and made anew is another one. Every item carries the study's
//     incarnation, which begins with the time of its making.
package dynamo

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/supermax-hpo/supermax/shared/store"
)

// API is what is used of DynamoDB. The rights that it takes on the table are
// dynamodb:GetItem, PutItem, UpdateItem, Query and BatchWriteItem.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

var (
	_ store.Mailbox = (*Log)(nil)
	_ API           = (*dynamodb.Client)(nil)
)

// Log is a [store.Mailbox] in one table. Its exported fields are set before the first
// call. Use [Open] to get one.
type Log struct {
	// Consumed is told of the capacity units that each operation took ("PutItem", …), read
	// units for GetItem and Query, write units for the others. nil: nobody counts.
	Consumed func(operation string, units float64)
	// Logger is told when old events could not be cleared away. nil: nothing is logged.
	Logger *slog.Logger
	// Now is the clock. It dates what expires and the incarnations of studies.
	Now func() time.Time

	api   API
	table string
	codec func() (codec, error)

	mu    sync.Mutex
	views map[string]view // by study
}

// Open returns the log that the table holds. It calls nothing.
func Open(api API, table string) *Log {
	return &Log{Now: time.Now, api: api, table: table, codec: sync.OnceValues(newCodec), views: make(map[string]view)}
}

// view is the end of a study's log as this process last saw it.
type view struct {
	id  string // the study's incarnation
	end int64  // its last event
	at  time.Time
}

// maxViewAge is how old a view may be that an append relies on. It is far less than the
// life of a tombstone, so that an append that comes late finds its place taken.
const maxViewAge = 24 * time.Hour

// viewOf returns what is known of the study if it was seen to end at the sequence number.
func (l *Log) viewOf(study string, end int64) (view, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.views[study]
	return v, ok && v.end == end
}

func (l *Log) saw(study, id string, end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.views[study] = view{id: id, end: end, at: l.Now().Round(0)} // a clock that goes on in sleep
}

func (l *Log) forget(study string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.views, study)
}

func (l *Log) logger() *slog.Logger {
	if l.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Logger
}
