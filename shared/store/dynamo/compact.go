package dynamo

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/supermax-hpo/supermax/shared/store"
)

// chunkSize is the most of a compressed snapshot that goes into one item.
const chunkSize = 300_000

// Compact implements [store.Log]. The chunks are written first; the head then turns to
// them unless it knows a later snapshot. The events stay until they are cleared away in
// passing, see [Log.clear].
func (l *Log) Compact(ctx context.Context, study string, seq int64, snapshot []byte) error {
	if err := store.CheckStudy(study); err != nil {
		return err
	}
	if err := l.compact(ctx, study, seq, snapshot); err != nil {
		return l.failed("compact", study, err)
	}
	return nil
}

func (l *Log) compact(ctx context.Context, study string, seq int64, snapshot []byte) error {
	h, from, err := l.tailAfter(ctx, study, seq)
	if err != nil || seq <= h.seq {
		return err
	}
	packed, err := packSnapshot(snapshot)
	if err != nil {
		return err
	}
	nonce := rand.Text()
	var writes, undo []types.WriteRequest
	for part := range slices.Chunk(packed, chunkSize) {
		sk := chunkKey(seq, nonce, len(writes))
		i := newItem(studyKey(study), sk, h.id)
		i[attrData] = blob(part)
		writes, undo = append(writes, put(i)), append(undo, remove(studyKey(study), sk))
	}
	if err := l.write(ctx, writes); err != nil {
		return err
	}
	out, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &l.table, Key: key(studyKey(study), headKey),
		UpdateExpression:         aws.String("SET seq = :seq, #from = :from, n = :n, nonce = :nonce"),
		ConditionExpression:      aws.String("id = :id AND seq < :seq"),
		ExpressionAttributeNames: map[string]string{"#from": attrFrom},
		ExpressionAttributeValues: item{":id": text(h.id), ":seq": number(seq), ":from": number(from),
			":n": number(int64(len(writes))), ":nonce": text(nonce)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              l.counting()})
	there, refused := l.refused("UpdateItem", err)
	switch {
	case refused && there.text(attrNonce) == nonce: // ours: the answer to the first try was lost
	case refused: // a later snapshot is there, or the study is not
		return l.write(ctx, undo)
	case err != nil:
		return err
	default:
		l.count("UpdateItem", out.ConsumedCapacity)
	}
	return l.removeSnapshots(ctx, study, seq)
}

// tailAfter returns the study's head and, unless its snapshot is of seq or later, the first
// event of the item that holds event seq + 1, or will.
func (l *Log) tailAfter(ctx context.Context, study string, seq int64) (h head, from int64, err error) {
	if v, ok := l.viewOf(study, seq); ok {
		h, err = l.head(ctx, study)
		if err == nil && h.id == v.id {
			return h, seq + 1, nil // what a process saw as the end is the end of an item
		}
	}
	h, s, c, err := l.tail(ctx, study)
	switch {
	case err != nil || seq <= h.seq:
		return h, 0, err
	case seq > c.end:
		return h, 0, beyond(seq, c.end)
	}
	for _, a := range s.appended {
		if a.first <= seq && seq < a.last() {
			return h, a.first, nil
		}
	}
	return h, seq + 1, nil
}

// snapshot reads the chunks that a head names. torn says that they are replaced.
func (l *Log) snapshot(ctx context.Context, study string, h head) (snapshot []byte, torn bool, err error) {
	var packed []byte
	var n int64
	prefix := chunkPrefix(h.seq, h.nonce)
	err = l.query(ctx, studyKey(study), prefix, prefix+"~", true, 0, func(i item) (bool, error) {
		packed = append(packed, i.bytes(attrData)...)
		n++
		return true, nil
	})
	if err != nil {
		return nil, false, err
	}
	if n != h.chunks {
		return nil, true, nil
	}
	codec, err := l.codec()
	if err != nil {
		return nil, false, err
	}
	snapshot, err = codec.unpackSnapshot(packed)
	return snapshot, false, err
}

// removeSnapshots deletes the chunks of snapshots before seq: of the former one, and of
// those whose writer died before the head turned to them.
func (l *Log) removeSnapshots(ctx context.Context, study string, seq int64) error {
	var old []types.WriteRequest
	err := l.query(ctx, studyKey(study), snapshotPrefix, snapshotKey(seq), false, 0, func(i item) (bool, error) {
		old = append(old, remove(studyKey(study), i.text(attrSK)))
		return true, nil
	})
	if err != nil {
		return err
	}
	return l.write(ctx, old)
}
