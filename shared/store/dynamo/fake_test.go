package dynamo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// fakeTable is a table in memory that does what this package asks of DynamoDB, and fails
// where a test wants it to. The conformance suite runs over it and over the emulator, so
// that it cannot mean something else than the real one without being noticed.
type fakeTable struct {
	t      testing.TB
	mu     sync.Mutex
	rows   map[string]map[string]item
	page   int                                  // items a page of a Query, 0: no bound
	undone func(types.WriteRequest) bool        // writes that a batch leaves undone
	before func(operation string, in any) error // fails a call before it does anything
	after  func(operation string, in any) error // loses a call's answer
	calls  map[string]int
}

func newFake(t testing.TB) *fakeTable {
	return &fakeTable{t: t, rows: map[string]map[string]item{}, calls: map[string]int{}}
}

// open returns a log as a process of its own has it.
func (f *fakeTable) open() *Log { return Open(f, "fake") }

// do runs a call between the faults.
func do[Out any](f *fakeTable, operation string, in any, call func() (*Out, error)) (*Out, error) {
	f.mu.Lock()
	f.calls[operation]++
	before, after := f.before, f.after
	f.mu.Unlock()
	if before != nil {
		if err := before(operation, in); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	out, err := call()
	f.mu.Unlock()
	if err == nil && after != nil {
		if lost := after(operation, in); lost != nil {
			return nil, lost
		}
	}
	return out, err
}

func (f *fakeTable) at(key item) item { return f.rows[key.text(attrPK)][key.text(attrSK)] }

func (f *fakeTable) set(i item) {
	pk := i.text(attrPK)
	if f.rows[pk] == nil {
		f.rows[pk] = map[string]item{}
	}
	f.rows[pk][i.text(attrSK)] = maps.Clone(i)
}

// holds evaluates the conditions that this package uses.
func (f *fakeTable) holds(condition *string, there item, values map[string]types.AttributeValue) bool {
	v := item(values)
	switch aws.ToString(condition) {
	case "":
		return true
	case "attribute_not_exists(pk)":
		return there == nil
	case "attribute_not_exists(pk) OR id < :id":
		return there == nil || there.text("id") < v.text(":id")
	case "id = :id AND seq < :seq":
		return there != nil && there.text("id") == v.text(":id") && there.number("seq") < v.number(":seq")
	case "id = :id AND cleared < :cleared":
		return there != nil && there.text("id") == v.text(":id") && there.number("cleared") < v.number(":cleared")
	}
	f.t.Errorf("the fake does not know the condition %q", *condition)
	return false
}

func units(op types.ReturnConsumedCapacity, n float64) *types.ConsumedCapacity {
	if op != types.ReturnConsumedCapacityTotal {
		return nil
	}
	return &types.ConsumedCapacity{CapacityUnits: &n}
}

func (f *fakeTable) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return do(f, "GetItem", in, func() (*dynamodb.GetItemOutput, error) {
		return &dynamodb.GetItemOutput{Item: maps.Clone(f.at(in.Key)), ConsumedCapacity: units(in.ReturnConsumedCapacity, 1)}, nil
	})
}

func (f *fakeTable) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return do(f, "PutItem", in, func() (*dynamodb.PutItemOutput, error) {
		there := f.at(in.Item)
		if !f.holds(in.ConditionExpression, there, in.ExpressionAttributeValues) {
			return nil, &types.ConditionalCheckFailedException{Item: there}
		}
		f.set(in.Item)
		return &dynamodb.PutItemOutput{ConsumedCapacity: units(in.ReturnConsumedCapacity, 2)}, nil
	})
}

func (f *fakeTable) UpdateItem(_ context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return do(f, "UpdateItem", in, func() (*dynamodb.UpdateItemOutput, error) {
		there := f.at(in.Key)
		if !f.holds(in.ConditionExpression, there, in.ExpressionAttributeValues) {
			return nil, &types.ConditionalCheckFailedException{Item: there}
		}
		next := maps.Clone(there)
		switch v := in.ExpressionAttributeValues; *in.UpdateExpression {
		case "SET seq = :seq, #from = :from, n = :n, nonce = :nonce":
			next["seq"], next["from"], next["n"], next["nonce"] = v[":seq"], v[":from"], v[":n"], v[":nonce"]
		case "SET cleared = :cleared":
			next["cleared"] = v[":cleared"]
		default:
			f.t.Errorf("the fake does not know the update %q", *in.UpdateExpression)
		}
		f.set(next)
		return &dynamodb.UpdateItemOutput{ConsumedCapacity: units(in.ReturnConsumedCapacity, 3)}, nil
	})
}

func (f *fakeTable) Query(_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return do(f, "Query", in, func() (*dynamodb.QueryOutput, error) {
		if c := *in.KeyConditionExpression; c != "pk = :pk AND sk BETWEEN :from AND :to" {
			f.t.Errorf("the fake does not know the key condition %q", c)
		}
		v := item(in.ExpressionAttributeValues)
		if v.text(":from") > v.text(":to") {
			return nil, fmt.Errorf("ValidationException: BETWEEN %s AND %s", v.text(":from"), v.text(":to"))
		}
		bucket := f.rows[v.text(":pk")]
		out := &dynamodb.QueryOutput{ConsumedCapacity: units(in.ReturnConsumedCapacity, 4)}
		limit := f.page
		if in.Limit != nil && (limit == 0 || int(*in.Limit) < limit) {
			limit = int(*in.Limit)
		}
		for _, sk := range slices.Sorted(maps.Keys(bucket)) {
			if sk < v.text(":from") || sk > v.text(":to") || sk <= item(in.ExclusiveStartKey).text(attrSK) {
				continue
			}
			out.Items = append(out.Items, maps.Clone(bucket[sk]))
			if limit > 0 && len(out.Items) == limit {
				out.LastEvaluatedKey = key(v.text(":pk"), sk)
				break
			}
		}
		return out, nil
	})
}

func (f *fakeTable) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	return do(f, "BatchWriteItem", in, func() (*dynamodb.BatchWriteItemOutput, error) {
		writes := in.RequestItems["fake"]
		if len(writes) == 0 || len(writes) > 25 {
			return nil, fmt.Errorf("ValidationException: %d writes", len(writes))
		}
		out := &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{}}
		for _, w := range writes {
			switch {
			case f.undone != nil && f.undone(w):
				out.UnprocessedItems["fake"] = append(out.UnprocessedItems["fake"], w)
			case w.PutRequest != nil:
				f.set(w.PutRequest.Item)
			default:
				k := item(w.DeleteRequest.Key)
				delete(f.rows[k.text(attrPK)], k.text(attrSK))
			}
		}
		if c := units(in.ReturnConsumedCapacity, 5); c != nil {
			out.ConsumedCapacity = []types.ConsumedCapacity{*c}
		}
		return out, nil
	})
}

func (f *fakeTable) TransactWriteItems(_ context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return do(f, "TransactWriteItems", in, func() (*dynamodb.TransactWriteItemsOutput, error) {
		reasons := make([]types.CancellationReason, len(in.TransactItems))
		failed := false
		for i, w := range in.TransactItems {
			reasons[i].Code = aws.String("None")
			if there := f.at(w.Put.Item); !f.holds(w.Put.ConditionExpression, there, w.Put.ExpressionAttributeValues) {
				failed = true
				reasons[i].Code, reasons[i].Item = aws.String("ConditionalCheckFailed"), there
			}
		}
		if failed {
			return nil, &types.TransactionCanceledException{CancellationReasons: reasons}
		}
		for _, w := range in.TransactItems {
			f.set(w.Put.Item)
		}
		out := &dynamodb.TransactWriteItemsOutput{}
		if c := units(in.ReturnConsumedCapacity, 6); c != nil {
			out.ConsumedCapacity = []types.ConsumedCapacity{*c}
		}
		return out, nil
	})
}

// count returns how many rows of a study have a sort key that starts so.
func (f *fakeTable) count(study, prefix string, which func(item) bool) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for sk, i := range f.rows[studyKey(study)] {
		if len(sk) >= len(prefix) && sk[:len(prefix)] == prefix && (which == nil || which(i)) {
			n++
		}
	}
	return n
}
