package dynamo

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/supermax-hpo/supermax/shared/store"
)

// requestLife is for how long a request waits to be decided. Its sender posts it again
// while it still wants the answer; what a dead sender left is done by nobody after that.
const requestLife = time.Minute

var requestID = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// Post implements [store.Mailbox].
func (l *Log) Post(ctx context.Context, study string, r store.Request) error {
	if err := store.CheckStudy(study); err != nil {
		return err
	}
	if err := l.post(ctx, study, r); err != nil {
		return l.failed("post a request to", study, err)
	}
	return nil
}

func (l *Log) post(ctx context.Context, study string, r store.Request) error {
	if !requestID.MatchString(r.ID) {
		return fmt.Errorf("request ID %.80q is not 1 to 64 letters and digits", r.ID)
	}
	codec, err := l.codec()
	if err != nil {
		return err
	}
	v, ok := l.viewOf(study, r.Base)
	if !ok {
		h, err := l.head(ctx, study)
		if err != nil {
			return err
		}
		v.id = h.id
	}
	body := codec.pack([][]byte{r.Body})
	if len(body) > maxItem {
		return fmt.Errorf("the request takes %d bytes compressed; allowed: at most %d", len(body), maxItem)
	}
	made := newItem(studyKey(study), requestPrefix+r.ID, v.id)
	made[attrFirst], made[attrBase], made[attrData] = number(r.First), number(r.Base), blob(body)
	made[ExpiresAttribute] = number(l.Now().Add(requestLife).Unix())
	out, err := l.api.PutItem(ctx, &dynamodb.PutItemInput{TableName: &l.table, Item: made, ReturnConsumedCapacity: l.counting()})
	if err != nil {
		return err
	}
	l.count("PutItem", out.ConsumedCapacity)
	return nil
}

// requests returns the requests of a scan whose time has not passed.
func (l *Log) requests(s scan) ([]store.Request, error) {
	if len(s.requests) == 0 {
		return nil, nil
	}
	codec, err := l.codec()
	if err != nil {
		return nil, err
	}
	now := l.Now().Unix()
	var list []store.Request
	for _, i := range s.requests {
		if i.text(attrID) != s.head.id || i.number(ExpiresAttribute) < now {
			continue
		}
		id := strings.TrimPrefix(i.text(attrSK), requestPrefix)
		body, err := codec.unpack(i.bytes(attrData))
		if err != nil || len(body) != 1 {
			return nil, fmt.Errorf("read request %s: %w", id, errDamaged)
		}
		list = append(list, store.Request{ID: id, First: i.number(attrFirst), Base: i.number(attrBase), Body: body[0]})
	}
	return list, nil
}

// Answer implements [store.Mailbox].
func (l *Log) Answer(ctx context.Context, study string, after int64, events [][]byte, answers []store.Answer) error {
	if err := store.CheckAppend(study, after, events); err != nil {
		return err
	}
	if after == 0 {
		return l.failed("answer requests of", study, errors.New("it has no event yet"))
	}
	if err := l.append(ctx, study, after, events, answers); err != nil {
		return l.failed("append to", study, err)
	}
	return nil
}

// Remove implements [store.Mailbox].
func (l *Log) Remove(ctx context.Context, study string, ids []string) error {
	if err := store.CheckStudy(study); err != nil {
		return err
	}
	writes := make([]types.WriteRequest, len(ids))
	for i, id := range ids {
		writes[i] = remove(studyKey(study), requestPrefix+id)
	}
	if err := l.write(ctx, writes); err != nil {
		return l.failed("remove requests of", study, err)
	}
	return nil
}
