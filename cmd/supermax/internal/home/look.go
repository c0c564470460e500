package home

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/store/sqlite"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Report is the path of the HTML report.
func (f *Folder) Report() string { return filepath.Join(f.Dir, "report.html") }

// Best is the path of the chosen configuration, in yaml or json.
func (f *Folder) Best(format string) string { return filepath.Join(f.Dir, "best."+format) }

// Metrics is the folder of the Parquet files.
func (f *Folder) Metrics() string { return filepath.Join(f.objects(), "metrics") }

// Name is the study's name.
func (f *Folder) Name() string { return filepath.Base(f.Dir) }

// State reads the study's state; a run may be at work on it.
func (f *Folder) State(ctx context.Context) (*study.State, error) {
	db, err := sqlite.Open(ctx, f.db())
	if err != nil {
		return nil, fmt.Errorf("open the study's state: %w", err)
	}
	defer db.Close()
	service := &handler.Service{Log: db, Clock: time.Now}
	state, err := service.State(ctx, f.Name())
	if err != nil {
		return nil, fmt.Errorf("read the study's state: %w", err)
	}
	return state, nil
}

// Rows reads every metrics row of the study.
func (f *Folder) Rows(ctx context.Context) ([]results.Row, error) {
	bucket, err := objects.Open(ctx, f.url())
	if err != nil {
		return nil, fmt.Errorf("open the run folder: %w", err)
	}
	defer bucket.Close()
	return results.ReadAll(ctx, bucket, "metrics/study="+f.Name()+"/")
}

// exports says where aggregate and finish put what a person exports.
var exports = map[string]string{
	"best":       "exports/best.",
	"top":        "exports/stage=" + string(protocol.StageA) + "/top50.",
	"pareto":     "exports/stage=" + string(protocol.StageB) + "/pareto.",
	"candidates": "exports/stage=" + string(protocol.StageC) + "/candidates.",
}

// Export returns what the study exported: best, top, pareto or candidates, as yaml or json.
func (f *Folder) Export(ctx context.Context, what, format string) ([]byte, error) {
	key, ok := exports[what]
	if !ok {
		return nil, input("%q cannot be exported; allowed: best, top, pareto, candidates", what)
	}
	bucket, err := objects.Open(ctx, f.url())
	if err != nil {
		return nil, fmt.Errorf("open the run folder: %w", err)
	}
	defer bucket.Close()
	data, err := bucket.Read(ctx, key+format)
	if errors.Is(err, objects.ErrNotFound) {
		return nil, input("study %s has no %s yet: its stage has not ended", f.Name(), what)
	}
	return data, err
}

// CopyBest puts the chosen configuration at the top of the run folder.
func (f *Folder) CopyBest(ctx context.Context) error {
	for _, format := range []string{"yaml", "json"} {
		data, err := f.Export(ctx, "best", format)
		if err != nil {
			return err
		}
		if err := WriteWhole(f.Best(format), data); err != nil {
			return err
		}
	}
	return nil
}
