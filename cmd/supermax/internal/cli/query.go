package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/internal/table"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/cloud"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/prices"
	"github.com/supermax-hpo/supermax/shared/queries"
)

func queryCommand(stderr io.Writer) *cobra.Command {
	var at placeFlags
	var study, format string
	cmd := &cobra.Command{
		Use:   "query NAME|SQL",
		Short: "Ask the metrics with SQL: Athena with --aws, DuckDB on this machine",
		Long:  queryHelp(),
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := at.check(cmd); err != nil {
				return err
			}
			if !slices.Contains(table.Formats(), format) {
				return usage("--format %.40q is not allowed; allowed: %s", format, strings.Join(table.Formats(), ", "))
			}
			sql, saved, err := resolve(args[0], study)
			if err != nil {
				return err
			}
			var answer *table.Table
			switch {
			case !at.aws:
				answer, err = askHere(cmd.Context(), at.runs, study, sql)
			case study != "" && !saved:
				return usage("--study goes with a saved query; in SQL of your own, write WHERE study = '%s'", study)
			default:
				answer, err = askAthena(cmd.Context(), at.stack, sql, stderr)
			}
			if err != nil {
				return err
			}
			return answer.Write(cmd.OutOrStdout(), format)
		},
	}
	at.add(cmd)
	cmd.Flags().StringVar(&study, "study", "", "the study that a saved query is about; on this machine also the only one that SQL reads")
	cmd.Flags().StringVar(&format, "format", "table", strings.Join(table.Formats(), ", "))
	return cmd
}

// queryHelp lists the saved queries.
func queryHelp() string {
	var b strings.Builder
	b.WriteString("Ask the metrics with SQL: Athena with --aws, DuckDB on this machine.\n\n" +
		"There are two tables, metrics (one row an epoch and seed) and trials (one row a trial,\n" +
		"written at a stage's end). Both have the columns study and stage; on AWS every query has\n" +
		"to name its study: WHERE study = 'NAME'. Parameters are columns in quotes: \"model.name\".\n\nSaved queries, which need --study:\n")
	for _, name := range queries.Names() {
		what, err := queries.Description(name)
		if err != nil {
			what = err.Error()
		}
		fmt.Fprintf(&b, "  %-30s %s\n", name, what)
	}
	return b.String()
}

var (
	nameForm    = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	sqlComments = regexp.MustCompile(`^(?:\s+|--[^\n]*(?:\n|$)|/\*(?s:.*?)\*/)+`)
	firstWord   = regexp.MustCompile(`^\(*\s*([A-Za-z]+)`)
)

// readers are the words that a query may begin with: none of them writes.
var readers = []string{"SELECT", "WITH", "VALUES"}

// resolve returns the SQL of a saved query, or the given SQL when it only reads.
func resolve(query, study string) (sql string, saved bool, err error) {
	if nameForm.MatchString(query) {
		if slices.Contains(queries.Names(), query) && study == "" {
			return "", true, usage("the saved query %s needs --study", query)
		}
		if study == "" {
			study = "any" // the name is wrong, which is what is said
		}
		sql, err := queries.SQL(query, study)
		if err != nil {
			return "", true, usageError{err}
		}
		return sql, true, nil
	}
	sql = strings.TrimRight(strings.TrimSpace(query), "; \n\t")
	m := firstWord.FindStringSubmatch(sqlComments.ReplaceAllString(sql, ""))
	if m == nil || !slices.Contains(readers, strings.ToUpper(m[1])) {
		return "", false, usage("a query begins with one of %s and only reads; %.60q does not", strings.Join(readers, ", "), query)
	}
	return sql, false, nil
}

// askAthena runs a query on AWS and says on stderr what it cost.
func askAthena(ctx context.Context, stack, sql string, stderr io.Writer) (*table.Table, error) {
	account, err := cloud.Open(ctx, stack)
	if err != nil {
		return nil, err
	}
	answer, scanned, err := account.Query(ctx, sql)
	if err != nil {
		if strings.Contains(err.Error(), "injected") {
			return nil, fmt.Errorf("%w; on AWS every query has to name its study: WHERE study = 'NAME'", err)
		}
		return nil, err
	}
	list, err := prices.Load()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(stderr, "Athena scanned %.1f MB, about %.5f dollars (%s, %s)\n", float64(scanned)/1e6, list.Query(scanned), list.Region, list.Date)
	return answer, nil
}

// askHere runs a query over the run folders, or one study's, with DuckDB.
func askHere(ctx context.Context, runs, study, sql string) (*table.Table, error) {
	folders, err := objectFolders(runs, study)
	if err != nil {
		return nil, err
	}
	program, err := findQuery()
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, folders...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(sql), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String())
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.As(err, &exit) && exit.ExitCode() == exitInput:
			return nil, mistake.Errorf("the query failed: %s", said)
		case said != "":
			return nil, fmt.Errorf("%s failed: %s", program, said)
		}
		return nil, fmt.Errorf("%s failed: %w", program, err)
	}
	var answer table.Table
	if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", program, err)
	}
	return &answer, nil
}

// objectFolders returns where the objects of one study lie, or of all of them.
func objectFolders(runs, study string) ([]string, error) {
	if study != "" {
		folder, err := home.OpenFolder(runs, study)
		if err != nil {
			return nil, err
		}
		return absolute(folder.Objects())
	}
	folders, err := home.Folders(runs)
	if err != nil {
		return nil, err
	}
	if len(folders) == 0 {
		return nil, mistake.Errorf("there is no run below %s: start one with supermax run", runs)
	}
	var paths []string
	for _, f := range folders {
		paths = append(paths, f.Objects())
	}
	return absolute(paths...)
}

// absolute keeps a path from being taken for an option.
func absolute(paths ...string) ([]string, error) {
	for i, path := range paths {
		var err error
		if paths[i], err = filepath.Abs(path); err != nil {
			return nil, fmt.Errorf("find %s: %w", path, err)
		}
	}
	return paths, nil
}

// findQuery returns the program that runs DuckDB: beside this one, or on PATH.
func findQuery() (string, error) {
	const name = "supermax-query"
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	if found, err := exec.LookPath(name); err == nil {
		return found, nil
	}
	return "", mistake.Errorf("%s, which runs DuckDB, is neither beside this program nor on PATH: build it with make build", name)
}
