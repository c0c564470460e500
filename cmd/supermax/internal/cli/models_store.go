package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/hub"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/modelstore"
	"github.com/supermax-hpo/supermax/shared/trainmemory"
)

// addStore adds the flag that says where backbones are kept.
func addStore(cmd *cobra.Command, store *string) {
	cmd.Flags().StringVar(store, "store", "models", "where backbones are kept: a folder, or s3://bucket/prefix")
}

// inStore runs f with the store.
func inStore(ctx context.Context, place string, f func(modelstore.Store) error) error {
	s, done, err := modelstore.Open(ctx, place)
	if err != nil {
		return err
	}
	return errors.Join(f(s), done())
}

func modelsPullCommand() *cobra.Command {
	var store, revision string
	cmd := &cobra.Command{
		Use:   "pull NAME [DIR]",
		Short: "Fetch a backbone from the model hub (or the server that HF_ENDPOINT names)",
		Long: `Fetch a backbone from the model hub into the store, or into the folder DIR.

HF_ENDPOINT names another server, HF_TOKEN a token for models that are private or gated.
Only the files that a backbone consists of are fetched, each is checked by size and hash, and
the folder appears when all are there. What was broken off goes on with the same command.`,
		Args: between(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				if err := onlyWithout(cmd, "DIR", "store"); err != nil {
					return err
				}
			}
			err := pull(cmd, args, store, revision)
			if err != nil && cmd.Context().Err() != nil {
				return &resumable{err}
			}
			return err
		},
	}
	addStore(cmd, &store)
	cmd.Flags().StringVar(&revision, "revision", "main", "a branch, a tag or a commit of the repository")
	return cmd
}

// pull fetches args[0], into args[1] if it is there, else into the store.
func pull(cmd *cobra.Command, args []string, place, revision string) error {
	ctx, stderr := cmd.Context(), cmd.ErrOrStderr()
	endpoint := os.Getenv("HF_ENDPOINT")
	client, err := hub.New(endpoint, os.Getenv("HF_TOKEN"))
	if err != nil {
		return err
	}
	if endpoint == "" {
		endpoint = hub.DefaultEndpoint
	}
	shown := newTransfer(stderr, args[0], time.Now)
	defer shown.end()
	p := modelstore.Pulling{
		Client: client, Endpoint: endpoint, Name: args[0], Revision: revision, Progress: shown.show,
		Described: func(r *hub.Repository, bytes int64) {
			license := r.License
			if license == "" {
				license = "not named; see its page"
			}
			fmt.Fprintf(stderr, "%s at commit %.12s: %s, licence: %s\n", r.Name, r.Commit, megabytes(bytes), license)
		},
	}
	if len(args) == 2 {
		_, fresh, err := modelstore.Pull(ctx, args[1], p)
		if err != nil {
			return err
		}
		about, err := modelstore.Look(args[1])
		shown.end()
		pulled(cmd.OutOrStdout(), args[1], about, fresh)
		return err
	}
	return inStore(ctx, place, func(s modelstore.Store) error {
		cache, err := pullCache(s)
		if err != nil {
			return err
		}
		sent := newTransfer(stderr, "upload of "+args[0], time.Now)
		defer sent.end()
		e, fresh, err := modelstore.PullInto(ctx, s, cache, p, sent.show)
		if err != nil {
			return err
		}
		shown.end()
		sent.end()
		pulled(cmd.OutOrStdout(), e.Place, e.About, fresh)
		return nil
	})
}

// pullCache is where what is to go into a bucket is fetched first; a folder needs none.
func pullCache(s modelstore.Store) (string, error) {
	if _, ok := s.(modelstore.Folder); ok {
		return "", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", mistake.Errorf("find a folder to fetch into: %w", err)
	}
	return filepath.Join(dir, "supermax", "pull"), nil
}

func pulled(w io.Writer, place string, a modelstore.About, fresh bool) {
	if !fresh {
		fmt.Fprintf(w, "%s is there already\n", place)
		return
	}
	fmt.Fprintf(w, "%s: %s, %.1f M parameters, %s\n", place, a.ModelType, float64(a.Parameters)/1e6, megabytes(a.Bytes))
}

func modelsImportCommand() *cobra.Command {
	var store, name string
	cmd := &cobra.Command{
		Use:   "import DIR",
		Short: "Check a checkpoint on disk and copy it into the store",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return inStore(cmd.Context(), store, func(s modelstore.Store) error {
				shown := newTransfer(cmd.ErrOrStderr(), args[0], time.Now)
				defer shown.end()
				e, err := modelstore.Import(cmd.Context(), s, name, args[0], shown.show)
				if err != nil {
					return err
				}
				shown.end()
				pulled(cmd.OutOrStdout(), e.Place, e.About, true)
				return nil
			})
		},
	}
	addStore(cmd, &store)
	cmd.Flags().StringVar(&name, "name", "", "its name in the store (default: the folder's)")
	return cmd
}

func modelsListCommand() *cobra.Command {
	var store string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the backbones in the store",
		Args:  exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return inStore(cmd.Context(), store, func(s modelstore.Store) error {
				all, err := s.List(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(append([]modelstore.Entry{}, all...))
				}
				return listEntries(cmd.OutOrStdout(), all)
			})
		},
	}
	addStore(cmd, &store)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func listEntries(out io.Writer, all []modelstore.Entry) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "name\ttype\tparameters\tlayers\thidden\tsize\tcommit\tlicence\tplace")
	for _, e := range all {
		if e.Fault != "" {
			fmt.Fprintf(w, "%s\tunusable: %s\n", e.Name, e.Fault)
			continue
		}
		commit, license := "-", "-"
		if e.Origin != nil {
			commit, license = fmt.Sprintf("%.12s", e.Origin.Commit), e.Origin.License
		}
		a := e.About
		fmt.Fprintf(w, "%s\t%s\t%.1f M\t%d\t%d\t%s\t%s\t%s\t%s\n", e.Name, a.ModelType, float64(a.Parameters)/1e6, a.Layers, a.Hidden, megabytes(a.Bytes), commit, license, e.Place)
	}
	return w.Flush()
}

// inspection is what inspect prints as JSON.
type inspection struct {
	Place  string             `json:"place"`
	About  modelstore.About   `json:"about"`
	Origin *modelstore.Origin `json:"origin,omitempty"`
	Step   trainmemory.Step   `json:"step"`
	Need   trainmemory.Need   `json:"need"` // bytes
}

func modelsInspectCommand() *cobra.Command {
	var store string
	var asJSON bool
	step := trainmemory.Step{}
	cmd := &cobra.Command{
		Use:   "inspect DIR|NAME",
		Short: "Say what a backbone is and how much memory training it takes (counted, not measured)",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := lookUp(cmd.Context(), store, args[0])
			if err != nil {
				return err
			}
			need, err := e.About.Memory(step)
			if err != nil {
				return err
			}
			i := inspection{e.Place, e.About, e.Origin, step, need}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(i)
			}
			return i.print(cmd.OutOrStdout())
		},
	}
	addStore(cmd, &store)
	flags := cmd.Flags()
	flags.IntVar(&step.Length, "length", 256, "tokens a row")
	flags.IntVar(&step.Batch, "batch", 16, "rows a step")
	flags.BoolVar(&step.Checkpointing, "checkpointing", false, "with gradient checkpointing")
	flags.BoolVar(&step.Mixed, "amp", false, "with 16-bit activations")
	flags.BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// lookUp finds a backbone in a folder of that path, or in the store under that name.
func lookUp(ctx context.Context, store, what string) (modelstore.Entry, error) {
	if _, err := os.Stat(filepath.Join(what, "config.json")); err == nil {
		dir := filepath.Clean(what)
		return modelstore.At(filepath.Base(dir), dir)
	}
	var e modelstore.Entry
	err := inStore(ctx, store, func(s modelstore.Store) (err error) {
		e, err = s.Find(ctx, what)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return e, mistake.Errorf("%s is no folder with a config.json, and %w", what, err)
	}
	return e, err
}

func (i inspection) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	a := i.About
	fmt.Fprintf(w, "%s\n\n", i.Place)
	fmt.Fprintf(w, "type\t%s\n", a.ModelType)
	fmt.Fprintf(w, "parameters\t%d\n", a.Parameters)
	fmt.Fprintf(w, "layers\t%d, of hidden size %d, feed-forward %d, %d heads\n", a.Layers, a.Hidden, a.Intermediate, a.Heads)
	fmt.Fprintf(w, "vocabulary\t%d\n", a.Vocabulary)
	fmt.Fprintf(w, "positions\t%d\n", a.MaxPositions)
	fmt.Fprintf(w, "files\t%s, weights in %s\n", megabytes(a.Bytes), a.Weights)
	if o := i.Origin; o != nil {
		fmt.Fprintf(w, "from\t%s at commit %s, licence: %s\n", o.Repository, o.Commit, o.License)
	}
	how := "float32"
	if i.Step.Mixed {
		how = "16-bit activations"
	}
	if i.Step.Checkpointing {
		how += ", gradient checkpointing"
	}
	fmt.Fprintf(w, "\nto train %d rows of %d tokens a step with AdamW (%s), about\n", i.Step.Batch, i.Step.Length, how)
	for _, part := range []struct {
		name  string
		bytes int64
	}{
		{"parameters, gradients, moments", i.Need.State}, {"activations", i.Need.Activations},
		{"the layer at work", i.Need.Working}, {"the GPU's own", i.Need.Fixed}, {"together", i.Need.Total()},
	} {
		fmt.Fprintf(w, "%s\t%.2f GB\n", part.name, float64(part.bytes)/1e9)
	}
	return w.Flush()
}

// megabytes writes a size for a person.
func megabytes(bytes int64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

// between makes a command take from low to high arguments, named as in its usage.
func between(low, high int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < low || len(args) > high {
			return usage("%s takes %d to %d arguments and got %d: %s", cmd.CommandPath(), low, high, len(args), cmd.UseLine())
		}
		return nil
	}
}
