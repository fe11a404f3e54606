"""Study: term revealing, the term pairs it saves and the accuracy it costs."""
