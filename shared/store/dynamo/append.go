package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/supermax-hpo/supermax/shared/store"
)

// maxItem is how many bytes of events and answers, compressed, go into one append.
// DynamoDB takes 400 KiB with the attributes' names and keys.
const maxItem = 400_000

// Append implements [store.Log]. The events lie in one item, so there is a size that they
// cannot exceed: about 400 KB compressed, which no call of a study comes near.
func (l *Log) Append(ctx context.Context, study string, after int64, events [][]byte) error {
	if err := store.CheckAppend(study, after, events); err != nil {
		return err
	}
	err := l.append(ctx, study, after, events, nil)
	if err != nil {
		return l.failed("append to", study, err)
	}
	return nil
}

func (l *Log) append(ctx context.Context, study string, after int64, events [][]byte, answers []store.Answer) error {
	made, err := l.eventItem(study, after+1, events, answers)
	if err != nil {
		return err
	}
	end := after + int64(len(events))
	if after == 0 {
		return l.create(ctx, study, made, end)
	}
	v, ok := l.viewOf(study, after)
	if !ok || l.Now().Sub(v.at) > maxViewAge {
		if v, err = l.look(ctx, study); err != nil {
			return err
		}
		if v.end != after {
			return overtaken(v.end, after)
		}
	}
	made[attrID] = text(v.id)
	if err := l.putEvents(ctx, made); err != nil {
		return err
	}
	l.saw(study, v.id, end)
	l.clearInPassing(ctx, study, after, end)
	return nil
}

// eventItem returns the item of an append, its incarnation left out.
func (l *Log) eventItem(study string, first int64, events [][]byte, answers []store.Answer) (item, error) {
	codec, err := l.codec()
	if err != nil {
		return nil, err
	}
	made := newItem(studyKey(study), eventKey(first), "")
	made[attrNonce], made[attrCount] = text(rand.Text()), number(int64(len(events)))
	data := codec.pack(events)
	made[attrData] = blob(data)
	size := len(data)
	if len(answers) > 0 {
		var list [][]byte
		for _, a := range answers {
			list = append(list, []byte(a.ID), a.Body)
		}
		packed := codec.pack(list)
		made[attrAnswers] = blob(packed)
		size += len(packed)
	}
	if size > maxItem {
		return nil, fmt.Errorf("%d events and %d answers take %d bytes compressed; one append takes at most %d", len(events), len(answers), size, maxItem)
	}
	return made, nil
}

// placeIsFree is the condition of every event item: nothing is there, or something that a
// former study of the same name left, whose incarnation is an earlier one.
const placeIsFree = "attribute_not_exists(pk) OR id < :id"

// putEvents writes an event item where nothing is yet.
func (l *Log) putEvents(ctx context.Context, made item) error {
	out, err := l.api.PutItem(ctx, &dynamodb.PutItemInput{TableName: &l.table, Item: made,
		ConditionExpression:                 aws.String(placeIsFree),
		ExpressionAttributeValues:           item{":id": made[attrID]},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              l.counting()})
	if there, refused := l.refused("PutItem", err); refused {
		if there.text(attrNonce) == made.text(attrNonce) {
			return nil // ours: the answer to the first try was lost
		}
		return fmt.Errorf("event %s is there already: %w", made.text(attrSK), store.ErrConflict)
	}
	if err != nil {
		return err
	}
	l.count("PutItem", out.ConsumedCapacity)
	return nil
}

// look finds the end of a study that this process does not follow.
func (l *Log) look(ctx context.Context, study string) (view, error) {
	h, _, c, err := l.tail(ctx, study)
	return view{id: h.id, end: c.end}, err
}

func overtaken(last, after int64) error {
	return fmt.Errorf("its last event is %d, not %d: %w", last, after, store.ErrConflict)
}

// create writes a study's first events, its head and its name, all or none. The head
// decides who makes a study: the place of the first events is free again when their
// tombstone has expired.
func (l *Log) create(ctx context.Context, study string, made item, end int64) error {
	id := fmt.Sprintf("%016x-%s", l.Now().UnixNano(), rand.Text()) // sorts by time
	made[attrID] = text(id)
	h := newItem(studyKey(study), headKey, id)
	h[attrSeq], h[attrFrom], h[attrCleared] = number(0), number(1), number(0)
	free := aws.String(placeIsFree)
	in := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: aws.String(rand.Text()), ReturnConsumedCapacity: l.counting(),
		TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: &l.table, Item: h, ConditionExpression: aws.String("attribute_not_exists(pk)"),
				ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}},
			{Put: &types.Put{TableName: &l.table, Item: made, ConditionExpression: free,
				ExpressionAttributeValues: item{":id": text(id)}}},
			{Put: &types.Put{TableName: &l.table, Item: newItem(studiesKey, study, id)}},
		}}
	if err := l.transact(ctx, in, id); err != nil {
		return err
	}
	l.saw(study, id, end)
	return nil
}

// transact does a creation. Where another transaction stood in the way it tries again.
func (l *Log) transact(ctx context.Context, in *dynamodb.TransactWriteItemsInput, id string) error {
	out, err := l.api.TransactWriteItems(ctx, in)
	var cancelled *types.TransactionCanceledException
	for wait, try := firstPause, 1; err != nil; wait, try = min(2*wait, maxPause), try+1 {
		if !errors.As(err, &cancelled) {
			return err
		}
		reasons := cancelled.CancellationReasons
		if slices.ContainsFunc(reasons, func(r types.CancellationReason) bool { return aws.ToString(r.Code) == "ConditionalCheckFailed" }) {
			if item(reasons[0].Item).text(attrID) == id {
				return nil // ours: the answer to the first try was lost
			}
			return fmt.Errorf("the study is there already: %w", store.ErrConflict)
		}
		if try == maxTries {
			return err
		}
		if err := pauseRandom(ctx, wait); err != nil {
			return err
		}
		in.ClientRequestToken = aws.String(rand.Text()) // a cancelled token stays cancelled
		out, err = l.api.TransactWriteItems(ctx, in)
	}
	for _, c := range out.ConsumedCapacity {
		l.count("TransactWriteItems", &c)
	}
	return nil
}
