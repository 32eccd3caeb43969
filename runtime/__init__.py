"""What every process needs before it does anything: settings, logging, Sentry, metrics. Imports nothing of ours."""
