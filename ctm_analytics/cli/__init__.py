"""The command line: parse, call one method, print. Only here do capture and analysis meet."""
