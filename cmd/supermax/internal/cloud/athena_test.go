package cloud

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
)

// queryAnswer is what Athena says of a query.
type queryAnswer struct {
	states  []types.QueryExecutionState // one a look; the last stays
	reason  string
	columns [][2]string // name, type
	pages   [][][]string
	stopped bool
	sql     string
}

func (f *fakes) StartQueryExecution(_ context.Context, in *athena.StartQueryExecutionInput, _ ...func(*athena.Options)) (*athena.StartQueryExecutionOutput, error) {
	if err := f.fail["StartQueryExecution"]; err != nil {
		return nil, err
	}
	if aws.ToString(in.WorkGroup) != "group" || aws.ToString(in.QueryExecutionContext.Database) != "db" {
		return nil, errors.New("another workgroup or database")
	}
	f.query.sql = aws.ToString(in.QueryString)
	return &athena.StartQueryExecutionOutput{QueryExecutionId: aws.String("id")}, nil
}

func (f *fakes) StopQueryExecution(context.Context, *athena.StopQueryExecutionInput, ...func(*athena.Options)) (*athena.StopQueryExecutionOutput, error) {
	if err := f.fail["StopQueryExecution"]; err != nil {
		return nil, err
	}
	f.query.stopped = true
	return &athena.StopQueryExecutionOutput{}, nil
}

func (f *fakes) GetQueryExecution(context.Context, *athena.GetQueryExecutionInput, ...func(*athena.Options)) (*athena.GetQueryExecutionOutput, error) {
	if err := f.fail["GetQueryExecution"]; err != nil {
		return nil, err
	}
	state := f.query.states[0]
	if len(f.query.states) > 1 {
		f.query.states = f.query.states[1:]
	}
	return &athena.GetQueryExecutionOutput{QueryExecution: &types.QueryExecution{
		Status:     &types.QueryExecutionStatus{State: state, StateChangeReason: aws.String(f.query.reason)},
		Statistics: &types.QueryExecutionStatistics{DataScannedInBytes: aws.Int64(123)},
	}}, nil
}

// GetQueryResults gives the pages; a cell "NULL" is null.
func (f *fakes) GetQueryResults(_ context.Context, in *athena.GetQueryResultsInput, _ ...func(*athena.Options)) (*athena.GetQueryResultsOutput, error) {
	if err := f.fail["GetQueryResults"]; err != nil {
		return nil, err
	}
	at := len(aws.ToString(in.NextToken))
	set := &types.ResultSet{ResultSetMetadata: &types.ResultSetMetadata{}}
	for _, c := range f.query.columns {
		set.ResultSetMetadata.ColumnInfo = append(set.ResultSetMetadata.ColumnInfo, types.ColumnInfo{Name: aws.String(c[0]), Type: aws.String(c[1])})
	}
	for _, cells := range f.query.pages[at] {
		var row types.Row
		for _, cell := range cells {
			d := types.Datum{VarCharValue: aws.String(cell)}
			if cell == "NULL" {
				d.VarCharValue = nil
			}
			row.Data = append(row.Data, d)
		}
		set.Rows = append(set.Rows, row)
	}
	out := &athena.GetQueryResultsOutput{ResultSet: set}
	if at+1 < len(f.query.pages) {
		out.NextToken = aws.String(strings.Repeat("x", at+1))
	}
	return out, nil
}

func TestQuery(t *testing.T) {
	w := newWorld(t)
	w.aws.query = queryAnswer{
		states:  []types.QueryExecutionState{types.QueryExecutionStateQueued, types.QueryExecutionStateRunning, types.QueryExecutionStateSucceeded},
		columns: [][2]string{{"stage", "varchar"}, {"f1", "double"}, {"n", "bigint"}},
		pages:   [][][]string{{{"stage", "f1", "n"}, {"A", "1.0E-5", "3"}}, {{"B", "NULL", "4"}, {"stage", "0.5", "5"}}},
	}
	answer, scanned, err := w.Query(t.Context(), "SELECT 1 AS one")
	if err != nil || scanned != 123 || w.aws.query.sql != "SELECT 1 AS one" {
		t.Fatalf("%d bytes, %v", scanned, err)
	}
	var b bytes.Buffer
	if err := answer.Write(&b, "csv"); err != nil || b.String() != "stage,f1,n\nA,1e-05,3\nB,,4\nstage,0.5,5\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// An answer without rows, and one without the names in its first row.
func TestQueryWithoutRows(t *testing.T) {
	for want, pages := range map[string][][][]string{"stage\n": {{{"stage"}}}, "stage\nA\n": {{{"A"}}}} {
		w := newWorld(t)
		w.aws.query = queryAnswer{states: []types.QueryExecutionState{types.QueryExecutionStateSucceeded}, columns: [][2]string{{"stage", "varchar"}}, pages: pages}
		answer, _, err := w.Query(t.Context(), "SELECT 1 AS one")
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := answer.Write(&b, "csv"); err != nil || b.String() != want {
			t.Errorf("%q, %v, want %q", b.String(), err, want)
		}
	}
}

func TestQueryFails(t *testing.T) {
	w := newWorld(t)
	w.aws.query = queryAnswer{states: []types.QueryExecutionState{types.QueryExecutionStateFailed}, reason: "line 1:8: Column 'x'\ncannot be resolved"}
	_, _, err := w.Query(t.Context(), "SELECT x AS x")
	refused(t, "a wrong query", err, "the query failed: line 1:8: Column 'x' cannot be resolved")

	w.aws.query = queryAnswer{states: []types.QueryExecutionState{types.QueryExecutionStateCancelled}, reason: "too much"}
	if _, _, err := w.Query(t.Context(), "SELECT 1 AS one"); err == nil || !strings.Contains(err.Error(), "cancelled: too much") {
		t.Errorf("cancelled: %v", err)
	}

	w.aws.query = queryAnswer{states: []types.QueryExecutionState{types.QueryExecutionStateSucceeded}, columns: [][2]string{{"n", "double"}}, pages: [][][]string{{{"n"}, {"x"}}}}
	if _, _, err := w.Query(t.Context(), "SELECT 1 AS n"); err == nil || !strings.Contains(err.Error(), "no number") {
		t.Errorf("a wrong answer: %v", err)
	}

	w.aws.query = queryAnswer{states: []types.QueryExecutionState{types.QueryExecutionStateRunning}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := w.Query(ctx, "SELECT 1 AS one"); !errors.Is(err, context.Canceled) || !w.aws.query.stopped {
		t.Errorf("stopped: %v, Athena was told %t", err, w.aws.query.stopped)
	}
}
