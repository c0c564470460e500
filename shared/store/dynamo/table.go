package dynamo

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// schemaVersion stands in every item; a program that knows only lower ones refuses it.
const schemaVersion = 1

// ExpiresAttribute is the table's time-to-live attribute, in seconds since 1970.
const ExpiresAttribute = "expires"

// The attributes, and where they stand.
const (
	attrPK      = "pk"
	attrSK      = "sk"
	attrVersion = "v"
	attrID      = "id"      // the study's incarnation
	attrNonce   = "nonce"   // of the write that made an event item or a snapshot
	attrCount   = "n"       // event item: how many events; head: how many chunks
	attrData    = "d"       // event item: its events, see [codec]; chunk: a part; request: its body
	attrAnswers = "a"       // event item: answers to requests
	attrSeq     = "seq"     // head: the last event in the snapshot, 0 without one
	attrFrom    = "from"    // head: the first event of the item with which the tail begins
	attrCleared = "cleared" // head: up to which event tombstones stand
	attrFirst   = "first"   // request
	attrBase    = "base"    // request
)

// The sort keys below a study. Their order matters: a Query from an event on also brings
// the head and the mailbox, and reads them after the events.
const (
	eventPrefix    = "E#"
	headKey        = "HEAD"
	requestPrefix  = "R#"
	requestsEnd    = "R~" // after every request
	snapshotPrefix = "S#"
	studiesKey     = "STUDIES" // a partition: the sort keys are the studies' names
)

func studyKey(study string) string { return "STUDY#" + study }

func eventKey(seq int64) string { return fmt.Sprintf("%s%012d", eventPrefix, seq) }

// snapshotKey is where the chunks of snapshots of the event start.
func snapshotKey(seq int64) string { return fmt.Sprintf("%s%012d", snapshotPrefix, seq) }

func chunkPrefix(seq int64, nonce string) string { return snapshotKey(seq) + "#" + nonce + "#" }

func chunkKey(seq int64, nonce string, i int) string {
	return fmt.Sprintf("%s%04d", chunkPrefix(seq, nonce), i)
}

// TableInput returns the schema of the table: on demand, string keys pk and sk. The time
// to live is set on [ExpiresAttribute] by another call, once the table is there.
//
//	pk            sk                    what
//	STUDIES       <study>               one for each study
//	STUDY#<study> E#<first event>       the events of one append, with the answers among them
//	              HEAD                  the incarnation, and which snapshot is the newest
//	              R#<id>                a request in the mailbox; expires
//	              S#<event>#<nonce>#<i> a chunk of a compressed snapshot, ≤ 300 KB
//
// Numbers in keys have 12 digits, so that they sort. An event item without events is a
// tombstone: a snapshot took them in; it expires.
func TableInput(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(attrPK), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(attrSK), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(attrPK), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(attrSK), KeyType: types.KeyTypeRange},
		},
	}
}

// item is a row of the table.
type item map[string]types.AttributeValue

// newItem returns a row of this schema version.
func newItem(pk, sk, id string) item {
	return item{attrPK: text(pk), attrSK: text(sk), attrVersion: number(schemaVersion), attrID: text(id)}
}

func key(pk, sk string) item { return item{attrPK: text(pk), attrSK: text(sk)} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func blob(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// text returns a string attribute, "" when there is none.
func (i item) text(name string) string {
	s, _ := i[name].(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// bytes returns a binary attribute, nil when there is none.
func (i item) bytes(name string) []byte {
	b, _ := i[name].(*types.AttributeValueMemberB)
	if b == nil {
		return nil
	}
	return b.Value
}

// number returns a whole number, 0 when there is none.
func (i item) number(name string) int64 {
	n, _ := i[name].(*types.AttributeValueMemberN)
	if n == nil {
		return 0
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0 // not ours: no item of this schema holds one
	}
	return v
}

// size is about what DynamoDB counts as the row's bytes.
func (i item) size() int {
	var sum int
	for name, value := range i {
		sum += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			sum += len(v.Value)
		case *types.AttributeValueMemberB:
			sum += len(v.Value)
		case *types.AttributeValueMemberN:
			sum += len(v.Value)/2 + 1
		default:
			sum++
		}
	}
	return sum
}

// eventSeq returns the first event that an event item's sort key names.
func eventSeq(sk string) (int64, error) {
	seq, err := strconv.ParseInt(strings.TrimPrefix(sk, eventPrefix), 10, 64)
	if err != nil || seq < 1 || eventKey(seq) != sk {
		return 0, fmt.Errorf("item %.40q is none of supermax's", sk)
	}
	return seq, nil
}
