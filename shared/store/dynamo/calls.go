package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/supermax-hpo/supermax/shared/pause"
)

const (
	// batchLimit is how many writes BatchWriteItem takes.
	batchLimit = 25
	// maxTries bounds how often a part of a batch that was not done is tried, and a
	// transaction that another one stood in the way of.
	maxTries = 10
	// firstPause is the bound of the first random pause between tries; it doubles.
	firstPause = 20 * time.Millisecond
	maxPause   = 2 * time.Second
)

// get reads one item consistently; nil when there is none.
func (l *Log) get(ctx context.Context, pk, sk string) (item, error) {
	out, err := l.api.GetItem(ctx, &dynamodb.GetItemInput{TableName: &l.table, Key: key(pk, sk),
		ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: l.counting()})
	if err != nil {
		return nil, err
	}
	l.count("GetItem", out.ConsumedCapacity)
	if out.Item == nil {
		return nil, nil
	}
	return out.Item, known(out.Item)
}

// query reads the items between two sort keys, in their order, page by page, until each
// returns false. limit bounds a page, 0: DynamoDB's 1 MB does.
func (l *Log) query(ctx context.Context, pk, from, to string, consistent bool, limit int, each func(item) (bool, error)) error {
	in := &dynamodb.QueryInput{TableName: &l.table, ConsistentRead: &consistent, ReturnConsumedCapacity: l.counting(),
		KeyConditionExpression:    aws.String("pk = :pk AND sk BETWEEN :from AND :to"),
		ExpressionAttributeValues: item{":pk": text(pk), ":from": text(from), ":to": text(to)}}
	if limit > 0 {
		in.Limit = aws.Int32(int32(limit))
	}
	for {
		out, err := l.api.Query(ctx, in)
		if err != nil {
			return err
		}
		l.count("Query", out.ConsumedCapacity)
		for _, i := range out.Items {
			if err := known(i); err != nil {
				return err
			}
			if more, err := each(i); err != nil || !more {
				return err
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// write does any number of unconditional writes, a batch after the other, and repeats what
// DynamoDB left undone.
func (l *Log) write(ctx context.Context, writes []types.WriteRequest) error {
	for len(writes) > 0 {
		n := min(len(writes), batchLimit)
		if err := l.writeBatch(ctx, writes[:n]); err != nil {
			return err
		}
		writes = writes[n:]
	}
	return nil
}

func (l *Log) writeBatch(ctx context.Context, batch []types.WriteRequest) error {
	for wait, try := firstPause, 1; ; wait, try = min(2*wait, maxPause), try+1 {
		out, err := l.api.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{l.table: batch}, ReturnConsumedCapacity: l.counting()})
		if err != nil {
			return err
		}
		for _, c := range out.ConsumedCapacity {
			l.count("BatchWriteItem", &c)
		}
		if batch = out.UnprocessedItems[l.table]; len(batch) == 0 {
			return nil
		}
		if try == maxTries {
			return fmt.Errorf("DynamoDB left %d writes of a batch undone %d times", len(batch), try)
		}
		if err := pauseRandom(ctx, wait); err != nil {
			return err
		}
	}
}

func pauseRandom(ctx context.Context, bound time.Duration) error {
	return pause.For(ctx, rand.N(bound))
}

func put(i item) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: i}}
}

func remove(pk, sk string) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key(pk, sk)}}
}

// refused returns what stands in the place of a write whose condition did not hold. ok is
// false for every other error.
func (l *Log) refused(operation string, err error) (there item, ok bool) {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return nil, false
	}
	there = failed.Item
	if l.Consumed != nil { // DynamoDB does not say, but it charges for what it found
		l.Consumed(operation, float64(max(1, (there.size()+1023)/1024)))
	}
	return there, true
}

func (l *Log) counting() types.ReturnConsumedCapacity {
	if l.Consumed == nil {
		return types.ReturnConsumedCapacityNone
	}
	return types.ReturnConsumedCapacityTotal
}

func (l *Log) count(operation string, c *types.ConsumedCapacity) {
	if l.Consumed != nil && c != nil && c.CapacityUnits != nil {
		l.Consumed(operation, *c.CapacityUnits)
	}
}
