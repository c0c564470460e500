package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	// clearEvery is at every how many events an append clears old ones away.
	clearEvery = 250
	// clearAtMost bounds how many items that are: an item holds at least one event, so
	// this keeps up with what is appended, and one append in 250 takes some 0.2 s longer.
	clearAtMost = 300
	// tombstoneDays is how long a tombstone keeps its place.
	tombstoneDays = 7
)

// clearInPassing clears after the append that crossed a multiple of [clearEvery]: exactly
// one does. A failure is only logged, since the append is done; the next one goes on where
// this one ended.
func (l *Log) clearInPassing(ctx context.Context, study string, after, end int64) {
	if after/clearEvery == end/clearEvery {
		return
	}
	if err := l.clear(ctx, study); err != nil {
		l.logger().Warn("old events were not cleared away", "study", study, "seq", end, "error", err)
	}
}

// clear replaces events that the snapshot took in by tombstones. They keep the answers,
// which somebody may still be waiting for, and the place, where a writer with an old view
// must collide.
func (l *Log) clear(ctx context.Context, study string) error {
	h, err := l.head(ctx, study)
	if err != nil || h.cleared >= h.seq {
		return err
	}
	expires := number(l.Now().Add(tombstoneDays * 24 * time.Hour).Unix())
	var writes []types.WriteRequest
	cleared, seen := h.cleared, 0
	err = l.query(ctx, studyKey(study), eventKey(h.cleared+1), eventKey(h.seq), false, clearAtMost, func(i item) (bool, error) {
		first, err := eventSeq(i.text(attrSK))
		if err != nil {
			return false, err
		}
		a := appended{first, i}
		if a.last() > h.seq {
			return false, nil // the snapshot has only a part of it
		}
		cleared = max(cleared, a.last())
		if !a.dead() && i.text(attrID) == h.id {
			writes = append(writes, put(tombstone(i, expires)))
		}
		seen++
		return seen < clearAtMost, nil
	})
	if err != nil || cleared == h.cleared {
		return err
	}
	if err := l.write(ctx, writes); err != nil {
		return err
	}
	out, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &l.table, Key: key(studyKey(study), headKey),
		UpdateExpression:          aws.String("SET cleared = :cleared"),
		ConditionExpression:       aws.String("id = :id AND cleared < :cleared"),
		ExpressionAttributeValues: item{":id": text(h.id), ":cleared": number(cleared)},
		ReturnConsumedCapacity:    l.counting()})
	if _, refused := l.refused("UpdateItem", err); refused {
		return nil // another process got as far
	}
	if err != nil {
		return err
	}
	l.count("UpdateItem", out.ConsumedCapacity)
	return nil
}

// tombstone returns what stays of an event item.
func tombstone(i item, expires types.AttributeValue) item {
	t := newItem(i.text(attrPK), i.text(attrSK), i.text(attrID))
	t[attrCount], t[ExpiresAttribute] = i[attrCount], expires
	if answers, ok := i[attrAnswers]; ok {
		t[attrAnswers] = answers
	}
	return t
}
