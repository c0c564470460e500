package cloud

import (
	"bytes"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/stacktest"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// TestOnAWS finds a stack by its outputs, looks at a study whose state is in DynamoDB and
// whose objects are in S3, and deletes it and everything else, all versions included.
func TestOnAWS(t *testing.T) {
	stack := stacktest.New(t, 0)
	ctx := t.Context()
	_, err := Open(ctx, stack.Name+"-none")
	refused(t, "no such stack", err, "there is no stack "+stack.Name+"-none in this account and region")
	account, err := Open(ctx, stack.Name)
	if err != nil {
		t.Fatal(err)
	}
	if account.Stack.Table != stack.Name || account.Stack.Results != stack.Results || account.Region != stack.Region {
		t.Errorf("found %+v", account)
	}

	small := func(study string) {
		t.Helper()
		world := trainertest.NewWorld(t, func(c *config.Study) { c.Name = study })
		if err := stack.Service.Create(ctx, world.Study); err != nil {
			t.Fatal(err)
		}
		at := protocol.StageRequest{SchemaVersion: protocol.Version, Study: study, Stage: protocol.StageA}
		if _, err := stack.Service.Plan(ctx, at); err != nil {
			t.Fatal(err)
		}
		trainer := trainertest.Trainer{Calls: stack.Service, Objects: stack.Service.Objects, Study: world.Study, Mode: trainertest.Working}
		if err := trainer.Run(ctx, protocol.StageA, "slot"); err != nil {
			t.Fatal(err)
		}
		if _, err := stack.Service.Aggregate(ctx, at); err != nil {
			t.Fatal(err)
		}
	}
	small("small")
	small("small-2")

	s, err := account.Study("small")
	if err != nil {
		t.Fatal(err)
	}
	state, err := s.State(ctx)
	if err != nil || len(state.Trials(protocol.StageA)) != 6 {
		t.Fatalf("state: %v", err)
	}
	rows, err := s.Rows(ctx)
	if err != nil || len(rows) == 0 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if top, err := s.Export(ctx, "top", "yaml"); err != nil || !strings.Contains(string(top), "study: small\n") {
		t.Errorf("top %s, %v", top, err)
	}

	answer, _, err := account.Query(ctx, "SELECT 1.5e0 AS half, 'x' AS text UNION ALL SELECT 2.0e0 AS half, 'y' AS text ORDER BY text")
	if err != nil {
		t.Fatal(err)
	}
	var csv bytes.Buffer
	if err := answer.Write(&csv, "csv"); err != nil || csv.String() != "half,text\n1.5,x\n2,y\n" {
		t.Errorf("answer %q, %v", csv.String(), err)
	}
	_, _, err = account.Query(ctx, "SELECT nothing AS nothing FROM nowhere")
	refused(t, "a wrong query", err, "the query failed: ")

	account.batch = &fakes{} // the stack has no job queue
	h, err := account.Delete(ctx, "small")
	if err != nil || h.Objects < 9 || !h.State {
		t.Errorf("deleted %+v, %v", h, err)
	}
	if _, err := s.State(ctx); err == nil || !strings.Contains(err.Error(), "holds no study") {
		t.Errorf("after the deletion: %v", err)
	}
	if h, err := account.Holds(ctx, "small-2"); err != nil || h.Objects < 9 || !h.State {
		t.Errorf("the other study: %+v, %v", h, err)
	}
	if names, err := stack.Service.Log.Studies(ctx); err != nil || len(names) != 1 {
		t.Errorf("studies %v, %v", names, err)
	}
	small("small") // a study of the same name may be made anew

	h, items, err := account.Purge(ctx)
	if err != nil || h.Objects == 0 || items == 0 {
		t.Errorf("purged %+v and %d items, %v", h, items, err)
	}
	if h, err := account.HoldsAll(ctx); err != nil || h != (Holding{}) {
		t.Errorf("left %+v, %v", h, err)
	}
}
