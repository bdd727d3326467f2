// Command landmark is the 标志性成果进展看板: one binary with the web server
// and the office's commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // the zone is known in an image without a tz database

	"github.com/alecthomas/kong"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

// Exit statuses, part of the interface.
const (
	exitDone    = 0
	exitRefused = 1 // refused or failed; one line on standard error says why
	exitUsage   = 2
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// settings are what every command takes: flag, else environment, else default.
type settings struct {
	DatabaseURL    string `name:"database-url" env:"DATABASE_URL" placeholder:"URL" help:"PostgreSQL to use; without it a private one of its own under DATA_DIR."`
	DatabaseDirect string `name:"database-url-direct" env:"DATABASE_URL_DIRECT" placeholder:"URL" help:"The same database without the pooler (PgBouncer, transaction mode) that DATABASE_URL leads through; for the schema and the commands."`
	DataDir        string `name:"data-dir" env:"DATA_DIR" default:"./var" placeholder:"DIR" help:"Folder of the private PostgreSQL (${default})."`
	LogFormat      string `name:"log-format" env:"LOG_FORMAT" enum:"text,json" default:"text" help:"Form of log lines: text or json."`
	LogLevel       string `name:"log-level" env:"LOG_LEVEL" enum:"debug,info,warn,error" default:"info" help:"Least level that is logged."`
	Passwords      string `name:"password-profile" env:"PASSWORD_PROFILE" enum:"asvs,dengbao" default:"asvs" help:"Rules for passwords: asvs (length and barred words) or dengbao (also composition, 90 days, the last five barred)."`
	TZName         string `name:"tz-name" env:"TZ_NAME" default:"Asia/Shanghai" help:"Zone in which days begin (${default})."`
}

type cli struct {
	settings

	Serve    serveCmd    `cmd:"" help:"Run the web server; migrates and, into an empty database, loads the seed plan."`
	Migrate  migrateCmd  `cmd:"" help:"Change the schema: up, down or version."`
	Plan     planCmd     `cmd:"" help:"Bring a plan in, write it out, list plans."`
	Values   valuesCmd   `cmd:"" help:"Reported values: bring a month's in, write them out."`
	Bulletin bulletinCmd `cmd:"" help:"The month's bulletin: draft, issue, export."`
	User     userCmd     `cmd:"" help:"Accounts: add, list, new password, disable."`
	DB       dbCmd       `cmd:"" name:"db" help:"The database: back it up, restore it, verify its history."`
	Version  versionCmd  `cmd:"" help:"Print the version."`

	Healthcheck healthcheckCmd `cmd:"" help:"Ask a running server whether it lives, or with --ready whether it can be used; for containers."`
}

// program is what a command works with.
type program struct {
	settings
	zone           *time.Location
	log            *slog.Logger
	stdin          io.Reader
	stdout, stderr io.Writer
}

// run is the whole program but for the process: it returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// An empty variable means unset, as in most programs; kong would take it.
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); value == "" && ours[name] {
			if err := os.Unsetenv(name); err != nil {
				return fail(stderr, fmt.Errorf("unset empty %s: %w", name, err))
			}
		}
	}
	if len(args) > 0 && args[0] == "help" { // landmark help serve = landmark serve --help
		args = append(args[1:len(args):len(args)], "--help")
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("landmark"),
		kong.Description("标志性成果进展看板: a city's annual plan of landmark achievements, month by month."),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
	if err != nil {
		return fail(stderr, err)
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // help was asked for and printed
		return exited
	}
	if err != nil {
		fmt.Fprintf(stderr, "landmark: %s\n", oneLine(err.Error()))
		fmt.Fprintln(stderr, "Run landmark help to see the commands, landmark COMMAND --help for one.")
		return exitUsage
	}
	p := &program{settings: c.settings, stdin: stdin, stdout: stdout, stderr: stderr}
	if p.zone, err = time.LoadLocation(c.TZName); err != nil {
		fmt.Fprintf(stderr, "landmark: TZ_NAME %q is not a time zone: use a name like Asia/Shanghai\n", c.TZName)
		return exitUsage
	}
	var written func()
	p.log, written = newLog(stderr, c.LogFormat, c.LogLevel)
	defer written()
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(p); err != nil {
		return fail(stderr, err)
	}
	return exitDone
}

// ours are the settings read from the environment.
var ours = map[string]bool{
	"DATABASE_URL": true, "DATABASE_URL_DIRECT": true, "DATABASE_URL_READ": true, "DATA_DIR": true, "LISTEN": true, "BASE_URL": true, "LOG_FORMAT": true, "LOG_LEVEL": true, "TZ_NAME": true,
	"CLAMD": true, "DEMO_NOW": true, "DRAIN_WAIT": true, "FAIL_FAST": true, "METRICS_LISTEN": true, "PAGE_CACHE_MIB": true, "PASSWORD_PROFILE": true, "TRUSTED_PROXIES": true,
	"SMTP_URL": true, "SMTP_FROM": true, "SMTP_PASSWORD": true, "SMTP_PASSWORD_FILE": true, "WEBHOOK_ALLOW": true,
	"OTEL_EXPORTER_OTLP_ENDPOINT": true, "SECRET_KEY": true, "SECRET_KEY_FILE": true, "REQUIRE_TOTP": true,
	"OIDC_ISSUER": true, "OIDC_CLIENT_ID": true, "OIDC_CLIENT_SECRET": true, "OIDC_CLIENT_SECRET_FILE": true, "OIDC_NAME": true,
}

// usageError is a call that cannot be right whatever the database holds.
type usageError struct{ error }

// fail prints why a command did not do its work. Sheets list their faults a
// line each; anything else is one line.
func fail(stderr io.Writer, err error) int {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "landmark: stopped before it was done; nothing half-done was kept")
		return exitRefused
	}
	if faults, ok := errors.AsType[sheet.Faults](err); ok {
		for _, f := range faults {
			fmt.Fprintln(stderr, f)
		}
		them := fmt.Sprintf("%d faults", len(faults))
		if len(faults) == 1 {
			them = "fault"
		}
		fmt.Fprintf(stderr, "landmark: refused whole, nothing was changed: mend the %s above and try again\n", them)
		return exitRefused
	}
	message := err.Error()
	// A sentence made for people on pages; the commands put the usual ones into
	// English, see inEnglish.
	if _, ours := errors.AsType[operatorError](err); !ours {
		if m := landmark.MessageOf(err); m != "" {
			message = "refused: " + m
		}
	}
	fmt.Fprintf(stderr, "landmark: %s\n", oneLine(message))
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitRefused
}

// operatorError is a domain error put into an English line for operators.
type operatorError struct {
	line  string
	cause error
}

func (e operatorError) Error() string { return e.line }
func (e operatorError) Unwrap() error { return e.cause }

// inEnglish words an error of a kind for operators; other errors pass through.
func inEnglish(err error, kind landmark.ErrorKind, format string, args ...any) error {
	if landmark.KindOf(err) != kind {
		return err
	}
	return operatorError{fmt.Sprintf(format, args...), err}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, "landmark", version)
	return err
}
