package dynamo

import (
	"context"
	"fmt"
)

// Studies implements [store.Log].
func (l *Log) Studies(ctx context.Context) ([]string, error) {
	var names []string
	err := l.query(ctx, studiesKey, "0", "~", true, 0, func(i item) (bool, error) { // names begin with a letter or digit
		names = append(names, i.text(attrSK))
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list studies of table %s: %w", l.table, err)
	}
	return names, nil
}
