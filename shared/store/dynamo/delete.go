package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Delete removes all items of a study: it must not be in use. That there is none is no
// error, and a deletion that broke off may be repeated: the head, by which the study
// exists, and its place among the studies go last. What is made anew under the name is
// another study.
func (l *Log) Delete(ctx context.Context, study string) error {
	var writes []types.WriteRequest
	err := l.query(ctx, studyKey(study), "0", "~", true, 0, func(i item) (bool, error) {
		if sk := i.text(attrSK); sk != headKey {
			writes = append(writes, remove(studyKey(study), sk))
		}
		return true, nil
	})
	if err == nil {
		err = l.write(ctx, writes)
	}
	if err == nil {
		err = l.write(ctx, []types.WriteRequest{remove(studyKey(study), headKey)})
	}
	if err == nil {
		err = l.write(ctx, []types.WriteRequest{remove(studiesKey, study)})
	}
	if err != nil {
		return fmt.Errorf("delete study %s from table %s: %w", study, l.table, err)
	}
	l.forget(study)
	return nil
}
