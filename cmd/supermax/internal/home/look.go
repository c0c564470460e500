package home

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/store/sqlite"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Report is the path of the HTML report.
func (f *Folder) Report() string { return filepath.Join(f.Dir, "report.html") }

// Best is the path of the chosen configuration, in yaml or json.
func (f *Folder) Best(format string) string { return filepath.Join(f.Dir, "best."+format) }

// Objects is the folder of everything that the study made.
func (f *Folder) Objects() string { return filepath.Join(f.Dir, "objects") }

// Metrics is the folder of the Parquet files.
func (f *Folder) Metrics() string { return filepath.Join(f.Objects(), "metrics") }

// Log is the file of what the run logged.
func (f *Folder) Log() string { return filepath.Join(f.logs(), "supermax.log") }

// Name is the study's name.
func (f *Folder) Name() string { return filepath.Base(f.Dir) }

// State reads the study's state; a run may be at work on it.
func (f *Folder) State(ctx context.Context) (*study.State, error) {
	none := mistake.Errorf("study %s has no state yet: its run stopped before it began; start it again with supermax run", f.Name())
	// Opening would make the file.
	if _, err := os.Stat(f.db()); errors.Is(err, fs.ErrNotExist) {
		return nil, none
	}
	db, err := sqlite.Open(ctx, f.db())
	if err != nil {
		return nil, explain(err)
	}
	defer db.Close()
	service := &handler.Service{Log: db, Clock: time.Now}
	state, err := service.State(ctx, f.Name())
	if errors.Is(err, store.ErrNotFound) {
		return nil, none
	}
	if err != nil {
		return nil, explain(fmt.Errorf("read the study's state: %w", err))
	}
	return state, nil
}

// Rows reads every metrics row of the study.
func (f *Folder) Rows(ctx context.Context) ([]results.Row, error) {
	bucket, err := objects.Open(ctx, f.URL())
	if err != nil {
		return nil, fmt.Errorf("open the run folder: %w", err)
	}
	defer bucket.Close()
	rows, err := results.ReadAll(ctx, bucket, results.StudyPrefix(f.Name()))
	return rows, explain(err)
}

// Export returns what the study exported: best, top, pareto or candidates, as yaml or json.
func (f *Folder) Export(ctx context.Context, what, format string) ([]byte, error) {
	key, err := exports.Key(f.Name(), what)
	if err != nil {
		return nil, mistake.Wrap(err)
	}
	bucket, err := objects.Open(ctx, f.URL())
	if err != nil {
		return nil, fmt.Errorf("open the run folder: %w", err)
	}
	defer bucket.Close()
	data, err := bucket.Read(ctx, key+"."+format)
	if errors.Is(err, objects.ErrNotFound) {
		return nil, mistake.Errorf("study %s has no %s yet: its stage has not ended", f.Name(), what)
	}
	return data, err
}

// Definition returns the study as it was created.
func (f *Folder) Definition(ctx context.Context) (*config.Study, error) {
	bucket, err := objects.Open(ctx, f.URL())
	if err != nil {
		return nil, fmt.Errorf("open the run folder: %w", err)
	}
	defer bucket.Close()
	data, err := bucket.Read(ctx, config.Key(f.Name()))
	if errors.Is(err, objects.ErrNotFound) {
		return nil, mistake.Errorf("study %s has no definition yet: its run stopped before it began; start it again with supermax run", f.Name())
	}
	if err != nil {
		return nil, err
	}
	c, err := config.FromJSON(data)
	if err != nil {
		return nil, explain(fmt.Errorf("read the definition of study %s: %w", f.Name(), err))
	}
	return c, nil
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
