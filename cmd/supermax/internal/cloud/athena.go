package cloud

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"

	"github.com/supermax-hpo/supermax/cmd/internal/table"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/pause"
)

type queryRunner interface {
	queryStarter
	queryReader
}

type queryStarter interface {
	StartQueryExecution(context.Context, *athena.StartQueryExecutionInput, ...func(*athena.Options)) (*athena.StartQueryExecutionOutput, error)
	StopQueryExecution(context.Context, *athena.StopQueryExecutionInput, ...func(*athena.Options)) (*athena.StopQueryExecutionOutput, error)
}

type queryReader interface {
	GetQueryExecution(context.Context, *athena.GetQueryExecutionInput, ...func(*athena.Options)) (*athena.GetQueryExecutionOutput, error)
	GetQueryResults(context.Context, *athena.GetQueryResultsInput, ...func(*athena.Options)) (*athena.GetQueryResultsOutput, error)
}

// Query runs a query in the stack's workgroup and reads its whole answer. scanned is how
// many bytes Athena read for it, which is what it asks money for. A query that is wrong is
// a mistake. When ctx ends the query is stopped.
func (a *Account) Query(ctx context.Context, sql string) (answer *table.Table, scanned int64, err error) {
	started, err := a.athena.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{
		QueryString: &sql, WorkGroup: &a.Stack.Workgroup,
		QueryExecutionContext: &types.QueryExecutionContext{Database: &a.Stack.Database},
	})
	if err != nil {
		return nil, 0, explain("start the query", err)
	}
	id := aws.ToString(started.QueryExecutionId)
	if scanned, err = a.await(ctx, id); err != nil {
		if ctx.Err() != nil {
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			_, _ = a.athena.StopQueryExecution(late, &athena.StopQueryExecutionInput{QueryExecutionId: &id}) // it ends by itself too
		}
		return nil, scanned, err
	}
	answer, err = a.answer(ctx, id)
	return answer, scanned, err
}

// await returns once the query has ended well.
func (a *Account) await(ctx context.Context, id string) (scanned int64, err error) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		out, err := a.athena.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: &id})
		if err != nil {
			return 0, explain("follow the query", err)
		}
		q := out.QueryExecution
		if q == nil || q.Status == nil {
			return 0, fmt.Errorf("follow the query: Athena tells nothing of it")
		}
		if q.Statistics != nil {
			scanned = aws.ToInt64(q.Statistics.DataScannedInBytes)
		}
		switch q.Status.State {
		case types.QueryExecutionStateSucceeded:
			return scanned, nil
		case types.QueryExecutionStateFailed:
			return scanned, mistake.Errorf("the query failed: %s", oneLine(aws.ToString(q.Status.StateChangeReason)))
		case types.QueryExecutionStateCancelled:
			return scanned, fmt.Errorf("the query was cancelled: %s", oneLine(aws.ToString(q.Status.StateChangeReason)))
		}
		if err := pause.For(ctx, wait); err != nil {
			return scanned, err
		}
	}
}

// answer reads the pages of a query's result. The first row of the first page holds the
// columns' names.
func (a *Account) answer(ctx context.Context, id string) (*table.Table, error) {
	in := &athena.GetQueryResultsInput{QueryExecutionId: &id}
	var answer *table.Table
	for {
		out, err := a.athena.GetQueryResults(ctx, in)
		if err != nil {
			return nil, explain("read the query's answer", err)
		}
		if out.ResultSet == nil || out.ResultSet.ResultSetMetadata == nil {
			return nil, fmt.Errorf("read the query's answer: Athena names no columns")
		}
		rows := out.ResultSet.Rows
		if answer == nil {
			answer = &table.Table{Columns: []table.Column{}, Rows: [][]*string{}}
			for _, c := range out.ResultSet.ResultSetMetadata.ColumnInfo {
				answer.Columns = append(answer.Columns, table.Column{Name: aws.ToString(c.Name), Kind: table.KindOf(aws.ToString(c.Type))})
			}
			if len(rows) > 0 && header(answer.Columns, rows[0]) {
				rows = rows[1:]
			}
		}
		for _, row := range rows {
			cells := make([]*string, len(answer.Columns))
			for i := range min(len(cells), len(row.Data)) {
				cells[i] = row.Data[i].VarCharValue
			}
			if err := answer.Add(cells); err != nil {
				return nil, fmt.Errorf("read the query's answer: %w", err)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return answer, nil
		}
	}
}

// header reports whether a row repeats the columns' names, as that of a SELECT does and
// that of an EXPLAIN does not.
func header(columns []table.Column, row types.Row) bool {
	for i, c := range columns {
		if i >= len(row.Data) || aws.ToString(row.Data[i].VarCharValue) != c.Name {
			return false
		}
	}
	return true
}
